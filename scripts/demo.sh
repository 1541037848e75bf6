#!/usr/bin/env bash
# Start the tutor with a demo class. Usage: scripts/demo.sh HOST PORT
set -euo pipefail
cd "$(dirname "$0")/.."

python="$(scripts/python311.sh)"
# Before anything that takes long, so this runs without .venv.
"$python" tutor/config/port.py "$1" "$2"
scripts/environment.sh requirements.txt
exec .venv/bin/python -m tutor.config.demo --host "$1" --port "$2"
