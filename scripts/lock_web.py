"""Writes requirements-web.txt: the lines of requirements.txt that the web server needs.

    .venv/bin/python scripts/lock_web.py            # after a change of a lock
    .venv/bin/python scripts/lock_web.py --check    # 1 if the file is old

The needs of requirements-web.in, and what those need in turn, as the installed packages say. No
network; the versions are those of requirements.txt.
"""

import argparse
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
HEAD = (
    "# The lock of requirements-web.in, a part of requirements.txt. Remake: scripts/lock_web.py.\n"
)


def written() -> str:
    """Return what requirements-web.txt has to contain.

    Raises:
        SystemExit: a package is not in requirements.txt.
    """
    lines = {name_of(line): line for line in requirements("requirements.txt")}
    needed = closure(map(Requirement, requirements("requirements-web.in")))
    missing = needed - set(lines)
    if missing:
        sys.exit(f"Not in requirements.txt: {', '.join(sorted(missing))}. Make that lock first.")
    return HEAD + "".join(f"{line}\n" for name, line in lines.items() if name in needed)


def requirements(file: str) -> Iterator[str]:
    """Yield the requirements of a file, without comments."""
    for line in (ROOT / file).read_text().splitlines():
        text = line.partition("#")[0].strip()
        if text and not text.startswith("-"):
            yield text


def name_of(line: str) -> str:
    """Return the normalised name that a line of a lock is about."""
    return canonicalize_name(Requirement(line).name)


def closure(wanted: Iterator[Requirement]) -> set[str]:
    """Return the names of what is wanted and of all that it needs here."""
    seen: set[tuple[str, str]] = set()
    waiting = list(wanted)
    while waiting:
        one = waiting.pop()
        for extra in ("", *one.extras):
            key = (canonicalize_name(one.name), extra)
            if key in seen:
                continue
            seen.add(key)
            for text in metadata.requires(one.name) or ():
                need = Requirement(text)
                if need.marker is None or need.marker.evaluate({"extra": extra}):
                    waiting.append(need)
    return {name for name, _ in seen}


def main() -> int:
    """Write or check the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; 1 if it is old")
    path, text = ROOT / "requirements-web.txt", written()
    if parser.parse_args().check:
        if not path.exists() or path.read_text() != text:
            print("requirements-web.txt is old: run scripts/lock_web.py.", file=sys.stderr)
            return 1
        return 0
    path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
