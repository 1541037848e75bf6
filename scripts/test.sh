#!/usr/bin/env bash
# Run the tests. Arguments go to pytest.
#
# First what touches the database, on PostgreSQL; then everything, on SQLite. Both run even if
# the first fails, so that one run shows all there is to mend. Without arguments, of the slow tests
# that touch a database each of the two runs a half; with arguments (`tests` is all of them) both run
# all.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/environment.sh requirements-dev.txt
scripts/debian.sh initdb=postgresql redis-server=redis-server rabbitmq-server=rabbitmq-server chromium=chromium

[[ $# -eq 0 ]] && set -- --share-slow

# Each of some hundred processes reads the same modules: let the first one keep them compiled.
export PYTHONDONTWRITEBYTECODE=

# One more than there are processors: many tests wait for a server, a worker or a browser.
processes="$(.venv/bin/python -c 'import os; print(min(5, 1 + (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)))')"

run() { # DATABASE ARGUMENTS...
    local database="$1" status=0
    shift
    echo
    echo "== Tests on $database =="
    .venv/bin/python -m pytest -n "$processes" --dist loadfile --no-loadscope-reorder --database="$database" "$@" || status=$?
    [[ $status -eq 2 ]] && exit 2 # interrupted: stop here
    # 5: among the chosen tests none touches the database. The whole suite always has some.
    [[ $status -eq 5 && $# -gt 0 ]] && status=0
    return $status
}

failed=0
run postgres "$@" || failed=1
run sqlite "$@" || failed=1
exit $failed
