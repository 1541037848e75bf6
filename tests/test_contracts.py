"""Every import contract can fail: forbidden imports in a copy of the code break each of them."""

import configparser
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.servers.process import ROOT

# Section of .importlinter -> a new module that breaks it.
VIOLATIONS = {
    "packages": ("kt_models/forbidden.py", "import tutor.common.errors"),
    "pure": ("curriculum/forbidden.py", "import django"),
    "tutor-layers": ("tutor/content/forbidden.py", "import tutor.practice.usecases"),
    "inside-an-app": ("tutor/classes/errors.py", "import tutor.classes.services"),
    "kt-doors": ("tutor/practice/forbidden.py", "import kt_models.streaming"),
    "curriculum-doors": ("tutor/student/forbidden.py", "import curriculum.scheduler"),
    # Indirectly, and inside a function: practice uses the engine of tracing.
    "web-light": ("tutor/tracing/engine.py", "def later():\n    import torch"),
    "py-irt-door": ("curriculum/irt/forbidden.py", "import pyro"),
    "streaming-is-light": ("kt_models/streaming/forbidden.py", "import scipy"),
}


def contracts() -> dict[str, str]:
    """Return section -> name of every contract."""
    file = configparser.ConfigParser()
    file.read(ROOT / ".importlinter")
    prefix = "importlinter:contract:"
    return {
        section.removeprefix(prefix): file[section]["name"]
        for section in file.sections()
        if section.startswith(prefix)
    }


def broken(folder: Path) -> set[str]:
    """Return the names of the contracts that the code in the folder breaks."""
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [program, "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    plain = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)
    flowing = re.sub(r"\s+", " ", plain)
    return {name for name in contracts().values() if f"{name} BROKEN" in flowing}


def test_each_contract_fails_on_a_forbidden_import(tmp_path):
    for package in ("tutor", "kt_models", "curriculum"):
        shutil.copytree(ROOT / package, tmp_path / package)
    shutil.copy(ROOT / ".importlinter", tmp_path)

    for path, line in VIOLATIONS.values():
        with (tmp_path / path).open("a") as file:
            file.write(f"\n{line}\n")

    assert contracts().keys() == VIOLATIONS.keys()
    assert broken(tmp_path) == set(contracts().values())
