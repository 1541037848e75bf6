"""A small input of each format, damaged anywhere: one clear error, or what was planned is done."""

import bz2
import contextlib
import gzip
import io
import lzma
import tempfile
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.core.cache import cache as django_cache
from django.core.management import CommandError
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.tutor.responses.importing.readers import (
    test_assistments,
    test_datashop,
    test_ednet,
    test_pykt,
)
from tests.tutor.tracing.imports import DBE_SMALL, counts, import_log, newest_import
from tutor.common import cache

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

OWN = (
    "learner,item,correct,concepts,answered_at,elapsed_ms,hints,attempt,group\n"
    'ann,a,1,c|d,2026-01-05T10:00:00Z,900,0,1,"x, y"\n'
    "bo,b,0.5,c,2026-01-05T10:00:00+02:00,,2,3,\n"
    "Żółw,ítem ½,false,,2026-01-06 11:30:00.25,1e3,,,\n"
).encode()


def zipped(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def parquet() -> bytes:
    packed = io.BytesIO()
    table = pa.table(
        {
            "learner": ["ann", "ann", "bo"],
            "item": pa.array(["a", "b", "a"]).dictionary_encode(),
            "correct": [1.0, 0.25, 0.0],
            "answered_at": pa.array([1_767_000_000_000_000] * 3, pa.timestamp("us", tz="UTC")),
            "elapsed_ms": pa.array([1, None, 3], pa.int64()),
            "concepts": [["c"], ["c", "d"], None],
        }
    )
    pq.write_table(table, packed)
    return packed.getvalue()


def folder_of(path: Path, *, most_lines: int = 40) -> dict[str, bytes]:
    return {
        file.name: b"".join(file.read_bytes().splitlines(keepends=True)[:most_lines])
        for file in sorted(path.iterdir())
    }


DATASHOP = "\n".join("\t".join(row) for row in (test_datashop.HEADER, *test_datashop.ROWS))
ASSISTMENTS = "\n".join([test_assistments.HEADER_2009, *test_assistments.ROWS_2009])
EDNET = {name: text.encode() for name, text in test_ednet.FILES.items()}
# Name of the file -> a valid input.
VALID = {
    "log.csv": OWN,
    "log.tsv": OWN.replace(b",", b"\t"),
    "log.csv.gz": gzip.compress(OWN, mtime=0),
    "log.csv.bz2": bz2.compress(OWN),
    "log.csv.xz": lzma.compress(OWN),
    "log.zip": zipped({"log.csv": OWN}),
    "log.parquet": parquet(),
    "assistments.csv": ASSISTMENTS.encode(),
    "datashop.txt": DATASHOP.encode(),
    "pykt.txt": (test_pykt.FIRST + test_pykt.SECOND).encode(),
    "dkt.txt": test_pykt.THREE.encode(),
    "ednet.zip": zipped(EDNET),
    "dbe.zip": zipped(folder_of(DBE_SMALL)),
}
# What is packed is damaged within as well: the checksums of its outside would stop all else.
PACKED = {"log.zip": {"log.csv": OWN}, "ednet.zip": EDNET, "dbe.zip": folder_of(DBE_SMALL)}
_PIECES = (
    *(b"", b"\x00", b"\xff", b"\r", b"\n", b'"', b",", b"\t", b";", b"|", b"=", b"-", b"1e400"),
    *(b"nan", b"\xef\xbb\xbf", b"\xff\xfe", "ẞ".encode(), b"9" * 400, b"\xed\xa0\x80", b"-1"),
)


@st.composite
def damages(draw) -> list[tuple[float, int, bytes]]:
    """Where (as a share of the length), how many bytes go, and what comes in their place."""
    place = st.floats(0.0, 1.0, exclude_max=True)
    length = st.sampled_from([0, 1, 1, 1, 2, 5, 40, 10**9])
    piece = st.sampled_from(_PIECES) | st.binary(min_size=1, max_size=4)
    return draw(st.lists(st.tuples(place, length, piece), min_size=1, max_size=4))


def damaged(content: bytes, changes: list[tuple[float, int, bytes]]) -> bytes:
    for where, length, piece in changes:
        start = int(where * len(content))
        content = content[:start] + piece + content[start + length :]
    return content


def damaged_within(name: str, which: int, changes: list[tuple[float, int, bytes]]) -> bytes:
    files = PACKED[name]
    chosen = sorted(files)[which % len(files)]
    return zipped({**files, chosen: damaged(files[chosen], changes)})


class _Undone(Exception):
    """Takes an example's rows away again."""


@contextlib.contextmanager
def undone():
    cache.clear_all()
    django_cache.clear()
    with contextlib.suppress(_Undone), transaction.atomic():
        yield
        raise _Undone


def check(name: str, content: bytes, format_name: str) -> bool:
    """Import; hold what is stored against what was said. Return whether it came in."""
    with undone(), tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        before, message = counts(), ""
        try:
            import_log(
                path, "--no-fit", "--rejects", f"{folder}/rejects.csv", format_name=format_name
            )
        except CommandError as error:
            message = str(error).strip() or "an empty one"
        if message:
            assert message != "an empty one"
            assert counts() == before
            return False
        run, after = newest_import(), counts()
        assert run.finished_at is not None
        assert run.rows_added == run.plan["answers"] == after["Response"] > 0
        assert run.plan["learners"] == after["Learner"] == after["LearnerState"]
        assert run.plan["items_new"] == after["Item"] == after["ItemVersion"]
        assert run.plan["concepts"] == after["Concept"]
        return True


@pytest.mark.parametrize("name", VALID)
def test_undamaged_it_comes_in(name):
    assert check(name, VALID[name], "auto")


QUICK = settings(
    deadline=None,
    # The same inputs in every run: another run finds nothing else.
    derandomize=True,
    # A smaller example of the same is worth less than the time that finding it takes.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.mark.parametrize("name", VALID)
@settings(QUICK, max_examples=40)
@given(damages(), st.sampled_from(["auto", "auto", "csv"]))
def test_damaged_it_is_refused_or_comes_in_as_planned(name, changes, format_name):
    check(name, damaged(VALID[name], changes), format_name)


@pytest.mark.parametrize("name", PACKED)
@settings(QUICK, max_examples=40)
@given(damages(), st.integers(0, 9))
def test_damaged_within_its_archive_too(name, changes, which):
    check(name, damaged_within(name, which, changes), "auto")
