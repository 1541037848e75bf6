#!/usr/bin/env bash
# Everything that can be said about the code without running it, and about its settings.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/environment.sh requirements-dev.txt

failed=()
check() { # NAME COMMAND...
    local name="$1"
    shift
    echo "== $name =="
    "$@" || failed+=("$name")
}

# The settings of a production server, with a secret that is good for nothing else.
production() {
    local var
    var="$(mktemp -d)"
    env TUTOR_PRODUCTION=1 TUTOR_DEBUG=0 TUTOR_VAR="$var" TUTOR_ALLOWED_HOSTS=tutor.example \
        TUTOR_SECRET_KEY="$(.venv/bin/python -c 'import secrets; print(secrets.token_urlsafe(64))')" \
        .venv/bin/python manage.py "$@"
    local status=$?
    rm -rf "$var"
    return $status
}

check "style" .venv/bin/ruff check .
check "format" .venv/bin/ruff format --check .
check "types" .venv/bin/mypy kt_models curriculum
check "imports" .venv/bin/lint-imports
check "migrations" .venv/bin/python manage.py makemigrations --check --dry-run
check "production settings" production check --deploy --fail-level WARNING

if [[ ${#failed[@]} -gt 0 ]]; then
    (IFS=,; echo "Failed: ${failed[*]}" | sed 's/,/, /g') >&2
    exit 1
fi
echo "All checks passed."
