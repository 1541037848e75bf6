"""The classic data sets of item response theory, where somebody has put them."""

import csv
import tarfile

import numpy as np
import pytest

from curriculum.irt.responses import Responses, responses_of_matrix
from tests.kt_models.conftest import ARCHIVES, UNPACKED


@pytest.fixture(scope="session")
def irt_data(tmp_path_factory):
    """Return the folder of the sets; it skips the test where there is none."""
    if (UNPACKED / "irt").is_dir():
        return UNPACKED / "irt"
    archive = ARCHIVES / "irt.tar.xz"
    if not archive.is_file():
        pytest.skip(f"unpack irt into {UNPACKED}, or put irt.tar.xz into {ARCHIVES}")
    place = tmp_path_factory.mktemp("irt")
    with tarfile.open(archive) as packed:
        packed.extractall(place, filter="data")
    return place / "irt"


@pytest.fixture
def patterns(irt_data):
    """Return a function from the name of a table of answer patterns to its responses."""

    def read(name: str) -> Responses:
        rows = np.loadtxt(irt_data / f"{name}.csv", delimiter=",", skiprows=1)
        return responses_of_matrix(rows[:, 1:-1], counts=rows[:, -1])

    return read


@pytest.fixture
def answers(irt_data):
    """Return a function from the name of a table of answers and a column prefix to its rows."""

    def read(name: str, prefix: str) -> np.ndarray:
        with (irt_data / f"{name}.csv").open(newline="") as file:
            header, *rows = csv.reader(file)
        places = [k for k, title in enumerate(header) if title.startswith(prefix)]
        return np.array([[float(row[k]) if row[k] else np.nan for k in places] for row in rows])

    return read
