"""Where uploaded files lie: under random names, in a folder that nothing serves."""

import os
import re
import secrets
import shutil
import unicodedata
from collections.abc import Collection
from pathlib import Path

from django.conf import settings

# Endings that say how to read a file. Any other is dropped.
_ENDING = re.compile(
    r"(?:\.(?:csv|tsv|txt|tab|json|jsonl|parquet|pq))?(?:\.(?:gz|xz|bz2|zip))?$", re.IGNORECASE
)
LONGEST_NAME = 120
# So much stays free for the database and for what reading needs.
RESERVE_BYTES = 200_000_000


def folder() -> Path:
    """Return the folder, made on first use, for its owner only."""
    path = Path(settings.UPLOAD_DIR)
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def new_name(shown_name: str) -> str:
    """Return a random name with the ending of the shown one, if it is known."""
    return f"{secrets.token_hex(16)}{ending_of(shown_name)}"


def ending_of(shown_name: str) -> str:
    """Return the known ending, such as .csv.gz, else nothing."""
    found = _ENDING.search(shown_name)
    return found[0].lower() if found else ""


def clean_name(name: str) -> str:
    """Return a file's name fit to be shown: one line, no control or direction marks, not long."""
    base = re.split(r"[/\\]", name)[-1]
    plain = "".join(c for c in base if unicodedata.category(c)[0] != "C").strip()
    ending = ending_of(plain)
    stem = plain[: len(plain) - len(ending)]
    kept = stem[: LONGEST_NAME - len(ending)].strip()
    return f"{kept or 'log'}{ending}"


def path_of(name: str) -> Path:
    """Return where the file of this random name lies."""
    return folder() / name


def remove(name: str) -> None:
    """Delete the file, if there is one."""
    if name:
        path_of(name).unlink(missing_ok=True)


def has_room(size_bytes: int) -> bool:
    """Test whether the disk takes so much and keeps the reserve."""
    return shutil.disk_usage(folder()).free - size_bytes >= RESERVE_BYTES


def remove_strays(*, known: Collection[str], older_than_s: float, now_s: float) -> int:
    """Delete the files that no row names, left by requests that broke off; return how many.

    Args:
        known: names that rows have.
        older_than_s: younger ones may still be arriving.
        now_s: seconds since 1970.
    """
    count = 0
    for entry in os.scandir(folder()):
        is_old = now_s - entry.stat().st_mtime > older_than_s
        if is_old and entry.is_file() and entry.name not in known:
            remove(entry.name)
            count += 1
    return count
