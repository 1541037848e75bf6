"""What answers a request is light: it needs nothing that models are fitted with."""

import subprocess
import sys

import pytest

from tests.servers.process import ROOT

# What importing a package by its name in the lock means, where it is not nearly the same.
IMPORTED_AS = {
    "scikit-learn": "sklearn",
    "pillow": "PIL",
    "pyro-ppl": "pyro",
    "pyro-api": "pyroapi",
    "markdown-it-py": "markdown_it",
    "fonttools": "fontTools",
    "jinja2": "jinja2",
}
# Part of the standard library's neighbourhood: pip's own, in every environment.
EVERYWHERE = {"setuptools"}


def locked(file: str) -> set[str]:
    """Return the names of a lock, in small letters."""
    lines = (ROOT / file).read_text().splitlines()
    return {line.split("==")[0].lower() for line in lines if "==" in line}


# What the web image does without.
HEAVY = sorted(
    IMPORTED_AS.get(name, name.replace("-", "_"))
    for name in locked("requirements.txt") - locked("requirements-web.txt") - EVERYWHERE
)

# Importing one of these fails as if it were not installed.
BLOCK = f"import sys; sys.modules.update(dict.fromkeys({HEAVY!r}))\n"
SETTINGS = "import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'tutor.config.settings'\n"

WEB = (
    "import tutor.config.wsgi\n"
    "from django.core.management import call_command\n"
    "call_command('check')  # loads every address and so every view\n"
)
STREAMING = """
import importlib, pkgutil, sys
import kt_models.streaming, curriculum.scheduler, curriculum.bandits
import curriculum.irt.ability, curriculum.irt.curves, curriculum.irt.parameters
for package in (kt_models.streaming, curriculum.scheduler, curriculum.bandits):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        importlib.import_module(module.name)
known = set(sys.stdlib_module_names) | {"numpy", "kt_models", "curriculum", "__main__"}
known |= {"fsrs", "typing_extensions"}  # the memory of facts; plain Python
print(sorted({name.partition(".")[0] for name in sys.modules} - known - set(before)))
"""


def run(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def web():
    """The web process without the packages for fitting, after it has loaded every page."""
    return run(f"{BLOCK}{SETTINGS}{WEB}print('tutor.intake.usecases' in sys.modules)")


def test_every_page_is_there_without_the_packages_for_fitting(web):
    assert web.returncode == 0, web.stderr


def test_no_page_loads_what_carries_an_import_out(web):
    assert web.stdout.splitlines()[-1:] == ["False"], web.stdout + web.stderr


@pytest.mark.parametrize("name", ["numba", "scipy", "pyarrow", "py_irt", "pandas"])
def test_such_a_package_would_be_noticed(name):
    done = run(f"{BLOCK}import {name}")

    assert "ModuleNotFoundError" in done.stderr


def test_live_tracing_and_scheduling_load_numpy_and_fsrs_only():
    done = run("import sys; before = list(sys.modules)\n" + STREAMING)

    assert done.stdout.strip() == "[]", done.stdout + done.stderr


def test_the_web_image_does_without_what_is_blocked_here():
    dockerfile = (ROOT / "docker" / "Dockerfile.web").read_text()

    assert {"torch", "numba", "py_irt", "pyro", "scipy", "sklearn", "pandas"} < set(HEAVY)
    assert "requirements-web.txt" in dockerfile
    assert "requirements.txt" not in dockerfile


def test_what_is_blocked_is_what_is_installed():
    script = f"import importlib.util as u; print([n for n in {HEAVY!r} if not u.find_spec(n)])"

    # A name that nothing is imported by would block nothing.
    assert run(script).stdout.strip() == "[]"
