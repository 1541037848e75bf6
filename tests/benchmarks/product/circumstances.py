"""Under which circumstances something was measured, and where the figures go."""

import datetime as dt
import json
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).parents[3] / "docs"


def circumstances() -> dict[str, object]:
    """Return date, hardware, commit and command of this run."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], check=False, capture_output=True, text=True
    )
    model = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    return {
        "date": dt.datetime.now(tz=dt.UTC).date().isoformat(),
        "hardware": f"{os.cpu_count()} cores, {model[1] if model else platform.machine()}",
        "load_before": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "commit": commit.stdout.strip(),
        "command": f"python -m {_module()}",
    }


def measured() -> dict[str, str]:
    """Return when, on what and of which code a figure is, to be kept beside it."""
    return {key: str(circumstances()[key]) for key in ("date", "hardware", "commit")}


def _module() -> str:
    path = Path(sys.argv[0]).resolve()
    return ".".join(path.relative_to(Path(__file__).parents[3]).with_suffix("").parts)


def write(name: str, *, result: dict[str, object], section: str) -> None:
    """Write docs/benchmarks/NAME.json and replace the section of that heading in benchmarks.md."""
    (DOCS / "benchmarks").mkdir(exist_ok=True)
    (DOCS / "benchmarks" / f"{name}.json").write_text(json.dumps(result, indent=1) + "\n")
    page = DOCS / "benchmarks.md"
    text = page.read_text() if page.exists() else "# Benchmarks\n"
    heading = section.splitlines()[0]
    own = re.compile(rf"^{re.escape(heading)}$.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
    told = section.rstrip() + "\n\n"
    after = own.sub(lambda _: told, text) if own.search(text) else f"{text.rstrip()}\n\n{told}"
    page.write_text(after.rstrip() + "\n")
