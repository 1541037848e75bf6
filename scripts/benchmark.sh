#!/usr/bin/env bash
# Run every measurement in tests/benchmarks, or those named. Usage: scripts/benchmark.sh [NAME ...]
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/environment.sh requirements-dev.txt
scripts/debian.sh initdb=postgresql redis-server=redis-server

if [[ $# -eq 0 ]]; then
    for file in tests/benchmarks/measure_*.py; do
        name="${file##*/measure_}"
        set -- "$@" "${name%.py}"
    done
fi

status=0
for name in "$@"; do
    echo "== $name =="
    .venv/bin/python -m "tests.benchmarks.measure_$name" || status=1
done
exit $status
