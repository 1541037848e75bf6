"""Which code a run was made with."""

import hashlib
import platform
import subprocess
import tomllib
from importlib import metadata
from pathlib import Path

import torch

PACKAGE = Path(__file__).parents[1]
SHOWN_PACKAGES = ("numpy", "scipy", "scikit-learn", "torch")


def code_version() -> dict[str, str | None]:
    """Return the package's version, the git commit if there is one, and a hash of the sources.

    The hash tells two states of the code apart where there is no repository, or where it has
    changes that are not committed.
    """
    digest = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        digest.update(path.relative_to(PACKAGE).as_posix().encode() + path.read_bytes())
    return {
        "package": _package_version(),
        "commit": _git("rev-parse", "HEAD"),
        "changed": _changed(),
        "source_sha256": digest.hexdigest(),
    }


def library_versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that results depend on."""
    found = {"python": platform.python_version()}
    for name in SHOWN_PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def device_name() -> str:
    """Return what models are fitted on: the GPU if there is one, else the processor."""
    if torch.cuda.is_available():
        return str(torch.cuda.get_device_name())
    information = Path("/proc/cpuinfo")
    lines = information.read_text(encoding="utf-8").splitlines() if information.is_file() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    name = names[0] if names else platform.processor()
    return f"{name}, {torch.get_num_threads()} threads"


def _package_version() -> str | None:
    project = PACKAGE.parent / "pyproject.toml"
    try:
        return metadata.version("adaptive-tutor")
    except metadata.PackageNotFoundError:
        if not project.is_file():
            return None
        return str(tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"])


def _changed() -> str | None:
    """Return "yes" or "no": whether kt_models differs from the commit; None without git."""
    status = _git("status", "--porcelain", "--", str(PACKAGE))
    return None if status is None else "yes" if status else "no"


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command
            ["git", "-C", str(PACKAGE), *arguments],  # noqa: S607 - whichever git is installed
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
