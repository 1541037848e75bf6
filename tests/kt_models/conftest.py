"""What the tests of kt_models share."""

import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UNPACKED = ROOT / "data"
ARCHIVES = ROOT.parent / "shared" / "data"


@pytest.fixture(scope="session")
def research_data(tmp_path_factory):
    """Return a function from a set's name to its folder; it skips the test where there is none."""
    unpacked = {}

    def folder(name):
        if (UNPACKED / name).is_dir():
            return UNPACKED / name
        top = name.split("/", maxsplit=1)[0]
        archive = ARCHIVES / f"{top}.tar.xz"
        if not archive.is_file():
            pytest.skip(f"unpack {top} into {UNPACKED}, or put {top}.tar.xz into {ARCHIVES}")
        if top not in unpacked:
            unpacked[top] = tmp_path_factory.mktemp("research")
            with tarfile.open(archive) as packed:
                packed.extractall(unpacked[top], filter="data")
        return unpacked[top] / name

    return folder
