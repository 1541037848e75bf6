#!/usr/bin/env bash
# Print the path of a Python 3.11, or say how to get one (exit code 2).
set -euo pipefail

for name in "${PYTHON:-}" python3.11 python3 python; do
    path="$(command -v "${name:-no-such-program}" || true)"
    if [[ -n "$path" ]] && "$path" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
        echo "$path"
        exit 0
    fi
done

cat >&2 <<'TEXT'
The tutor needs Python 3.11 and found none (looked for: $PYTHON, python3.11, python3, python).
  Debian 12:   apt-get install python3 python3-venv
  macOS:       brew install python@3.11
  elsewhere:   pyenv install 3.11, or https://www.python.org/downloads/
Then run the same command again; PYTHON=/path/to/python3.11 make ... also works.
TEXT
exit 2
