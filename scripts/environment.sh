#!/usr/bin/env bash
# Create .venv and install one of the locks into it, only when the lock or Python has changed.
#
# Usage: scripts/environment.sh requirements.txt | requirements-dev.txt
set -euo pipefail
cd "$(dirname "$0")/.."

lock="$1"
python="$(scripts/python311.sh)"

# The development lock contains the other one, so its stamp covers both.
locks=(requirements.txt)
[[ "$lock" == requirements.txt ]] || locks+=("$lock")

fingerprint() {
    "$python" - "$@" <<'PYTHON'
import hashlib, pathlib, sys
whole = b"".join(pathlib.Path(name).read_bytes() for name in sys.argv[1:])
print(hashlib.sha256(whole + sys.version.encode()).hexdigest())
PYTHON
}

installed() { # STAMP LOCKS...
    local stamp=".venv/installed-$1"
    shift
    [[ -f "$stamp" && "$(<"$stamp")" == "$(fingerprint "$@")" ]]
}

if [[ -d .venv ]] && ! .venv/bin/python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
    echo "The .venv here is not a working Python 3.11: making it anew."
    rm -rf .venv
fi
if [[ -d .venv ]]; then
    installed "$lock" "${locks[@]}" && exit 0
    [[ "$lock" == requirements.txt ]] && installed requirements-dev.txt requirements.txt requirements-dev.txt && exit 0
else
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        # Debian splits these modules off; "ensurepip" is no program, so it counts as missing.
        scripts/debian.sh ensurepip=python3-venv
    fi
    echo "Creating .venv with $("$python" --version) ..."
    "$python" -m venv .venv
fi

echo "Installing $lock into .venv (a few minutes the first time) ..."
rm -f .venv/installed-*
for try in 1 2 3; do
    if .venv/bin/python -m pip install --disable-pip-version-check --no-input --progress-bar off -r "$lock"; then
        fingerprint "${locks[@]}" >".venv/installed-$lock"
        exit 0
    fi
    [[ $try -lt 3 ]] && echo "The installation failed (try $try of 3); trying again in 5 seconds ..." >&2 && sleep 5
done

cat >&2 <<TEXT
pip could not install $lock: the reason stands above.
Most often the package index cannot be reached (network, proxy) or the disk is full.
Nothing is lost: run the same command again once that is mended.
TEXT
exit 1
