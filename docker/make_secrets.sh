#!/usr/bin/env bash
# Make the secrets that docker/compose.yaml needs, where there are none yet.
set -euo pipefail
umask 077
folder="$(dirname "$0")/secrets"
mkdir -p "$folder"

for name in secret_key database_password; do
    file="$folder/$name"
    if [[ -s "$file" ]]; then
        echo "$file is there already."
        continue
    fi
    # Letters and digits only: nothing that an address or a shell would have to escape.
    LC_ALL=C tr -dc 'A-Za-z0-9' </dev/urandom | head -c 64 >"$file.new" || [[ ${PIPESTATUS[1]} -eq 0 ]]
    # The containers' account reads it; on this machine only whoever may enter the folder.
    chmod 444 "$file.new"
    mv "$file.new" "$file"
    echo "Made $file."
done
