#!/usr/bin/env bash
# Run the measurements in tests/benchmarks: all, or those named. Usage: scripts/benchmark.sh [NAME ...]
# DATA names a folder with public logs, for those that measure on them.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/environment.sh requirements-dev.txt

if [[ $# -eq 0 ]]; then
    for file in tests/benchmarks/*.py; do
        # What is no program is a part of one.
        if grep -q '__main__' "$file"; then
            set -- "$@" "$(basename "$file" .py)"
        fi
    done
fi

status=0
for name in "$@"; do
    echo "== $name =="
    arguments=()
    if grep -q -- '"--data"' "tests/benchmarks/$name.py"; then
        if [[ -z "${DATA:-}" ]]; then
            echo "left out: it needs DATA=FOLDER with the public logs (see the top of its file)"
            continue
        fi
        arguments=(--data "$DATA")
    fi
    .venv/bin/python -m "tests.benchmarks.$name" "${arguments[@]}" || status=1
done
exit $status
