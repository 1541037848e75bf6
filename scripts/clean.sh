#!/usr/bin/env bash
# Remove what can be made again. var/ stays: it holds the database.
set -euo pipefail
cd "$(dirname "$0")/.."

rm -rf .venv .lint .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis staticfiles var/static ./*.egg-info
find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
echo "Removed .venv, caches and collected files. To forget the demo's data as well: rm -r var"
