"""`manage.py import_log` given what would fill memory: refused, and within bounds.

Read by the command in a process of its own, which says how much memory it took.
"""

import bz2
import gzip
import lzma
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.servers.process import ROOT

pytestmark = pytest.mark.slow

HEADER = "learner,item,correct"
GOOD = f"{HEADER}\nann,a,1\nbo,b,0\n"
PACKERS = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}
MB = 2**20
# Of half a gigabyte and more, with the tutor's own modules, which take two thirds of it.
MOST_MB = 300
SCRIPT = """
import re, sys
from pathlib import Path
import django
django.setup()
from django.core.management import CommandError, call_command
try:
    call_command("import_log", "auto", sys.argv[1], "--no-fit")
except CommandError as error:
    print(error, file=sys.stderr)
    # What `getrusage` says begins with what the process had before it was this program.
    [peak] = re.findall(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())
    print(int(peak) // 1024)
"""


def write(tmp_path: Path, content: bytes | str, name: str = "log.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.fixture
def refused_in_memory(place, tmp_path):
    """Import in another process; return its message once memory and tables are checked."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()

    def run(path: Path) -> str:
        environment = {**os.environ, **place.environment, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, str(path)],
            env={**environment, "TMPDIR": str(temporary)},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
        assert int(done.stdout.split()[-1]) < MOST_MB
        for table in ("responses_response", "accounts_learner", "content_course"):
            assert place.query(f"SELECT count(*) FROM {table}") == [(0,)]
        assert list(temporary.iterdir()) == []
        return done.stderr

    return run


@pytest.fixture
def sparse(tmp_path):
    """A file that begins so and is zeros from there on, without taking their room."""

    def make(start: str, size: int) -> Path:
        path = write(tmp_path, start)
        os.truncate(path, size)
        return path

    return make


def test_one_line_of_2_gb(refused_in_memory, sparse):
    message = refused_in_memory(sparse(f"{GOOD}ann,", 2**31))

    assert "line 4" in message


def test_a_first_line_of_2_gb(refused_in_memory, sparse):
    assert "log.csv" in refused_in_memory(sparse("learner,item,", 2**31))


@pytest.mark.parametrize("filling", ["\n", "x,y,1\n", 'x "y" z\n'])
def test_a_quote_that_never_closes_over_500_mb(refused_in_memory, sparse, filling):
    start = f'{GOOD}ann,"' + filling * (4 * MB // len(filling))

    message = refused_in_memory(sparse(start, 500 * MB))

    assert "quote" in message


@pytest.mark.parametrize("ending", PACKERS)
@pytest.mark.parametrize("what", ["zeros", "rows"])
def test_a_packed_gigabyte(refused_in_memory, tmp_path, ending, what):
    long = f"ann,a,1,{'x' * 60_000}\n"
    part = bytes(16 * MB) if what == "zeros" else (long * (16 * MB // len(long))).encode()
    head = f"{HEADER},note\nann,a,1,\n".encode()
    packed = PACKERS[ending](head) + PACKERS[ending](part) * 64
    assert len(packed) < 2 * MB

    message = refused_in_memory(write(tmp_path, packed, f"log.csv.{ending}"))

    assert "log.csv" in message


def test_a_zip_of_much_more_than_it_takes(refused_in_memory, tmp_path):
    path = tmp_path / "log.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(8):
            archive.writestr(f"{number}.csv", bytes(32 * MB))

    assert "200 times its size" in refused_in_memory(path)


def test_a_parquet_of_a_few_large_cells(refused_in_memory, tmp_path):
    path = tmp_path / "log.parquet"
    table = pa.table({name: ["x" * (64 * MB)] for name in HEADER.split(",")})
    pq.write_table(table, path, compression="zstd", use_dictionary=False, write_statistics=False)

    assert "log.parquet" in refused_in_memory(path)
