#!/usr/bin/env bash
# Install packages of the distribution (as root on Debian), or say which are missing (exit code 2).
#
# Usage: scripts/debian.sh PROGRAM=PACKAGE ...   e.g. redis-server=redis-server
# A PROGRAM is found on the PATH or where Debian keeps PostgreSQL's servers.
set -euo pipefail

found() {
    command -v "$1" >/dev/null || compgen -G "/usr/lib/postgresql/*/bin/$1" >/dev/null
}

missing=()
for pair in "$@"; do
    found "${pair%%=*}" || missing+=("$pair")
done
[[ ${#missing[@]} -eq 0 ]] && exit 0

packages="${missing[*]#*=}"
distribution="$(. /etc/os-release 2>/dev/null && echo "${ID:-}" || true)"

if [[ "$distribution" == debian && "$(id -u)" -eq 0 ]]; then
    echo "Installing $packages from the distribution's packages ..."
    export DEBIAN_FRONTEND=noninteractive
    apt-get -q update
    # shellcheck disable=SC2086 # one word per package
    apt-get -q install -y --no-install-recommends $packages
    exit 0
fi

echo "These programs are needed and were not found:" >&2
for pair in "${missing[@]}"; do
    echo "  ${pair%%=*}  (Debian's package: ${pair#*=})" >&2
done
if [[ "$distribution" == debian ]]; then
    echo "Install them with:  sudo apt-get install $packages" >&2
else
    echo "Install them with your system's package manager, then run the same command again." >&2
    echo "  macOS:  brew install postgresql redis rabbitmq; brew install --cask chromium" >&2
fi
exit 2
