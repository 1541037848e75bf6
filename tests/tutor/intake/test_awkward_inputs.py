"""`manage.py import_log` given what people give it: one clear message, and nothing is written.

Seen from outside, through the command. What would fill memory is in `test_huge_inputs`.
"""

import bz2
import contextlib
import gzip
import io
import lzma
import os
import re
import struct
import tempfile
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.core.management import CommandError

from tests.tutor.tracing.imports import counts, import_log
from tutor.accounts.models import Learner
from tutor.intake import usecases
from tutor.responses.models import Response

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

HEADER = "learner,item,correct"
GOOD = f"{HEADER}\nann,a,1\nbo,b,0\n"
PACKERS = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}


@pytest.fixture(autouse=True)
def workplace(tmp_path, monkeypatch):
    """Where the file of rejects goes, and temporary files of which none may stay."""
    monkeypatch.chdir(tmp_path)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    yield
    assert list(temporary.iterdir()) == []


def refused(path: Path, *options: str, format_name: str = "auto") -> str:
    """Import what cannot be imported; return the one message that comes of it."""
    with pytest.raises(CommandError) as caught:
        import_log(path, *options, format_name=format_name)
    assert counts() == dict.fromkeys(counts(), 0)
    message = str(caught.value)
    assert message.strip()
    assert len(message) < 2000
    assert "Traceback" not in message
    return message


def given(tmp_path: Path, content: bytes | str, name: str = "log.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def zipped(tmp_path: Path, files: dict[str, bytes | str], name: str = "log.zip") -> Path:
    with zipfile.ZipFile(tmp_path / name, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in files.items():
            archive.writestr(member, content)
    return tmp_path / name


def workbook() -> bytes:
    """The members by which a workbook of Excel is known."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/worksheets/sheet1.xml", "<worksheet/>")
    return packed.getvalue()


class TestNoTable:
    @pytest.mark.parametrize("format_name", ["auto", "csv"])
    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "picture"),
            (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "PDF"),
            (workbook(), "workbook; save the sheet as CSV"),
            (b"", "log.csv"),
            (b"\n\n\n", "log.csv"),
            (f"\n{GOOD}".encode(), "first line is empty"),
            (HEADER.encode(), "no (row|answer)"),
            (f"{HEADER}\n\n".encode(), "no (row|answer)"),
            (b"learner,item\nann,a\n", "correct"),
            (b"learner,item,correct,item\nann,a,1,b\n", "item more than once"),
            (b"learner,item,correct,Item\nann,a,1,b\n", "item more than once"),
            (GOOD.encode("utf-16"), "utf-?16"),
            (f"{HEADER}\nZo\xeb,a,1\n".encode("latin-1"), "latin-1"),
            (f'{HEADER}\nann,"a,1\nbo,b,1\n'.encode(), "quote"),
            (b"\x00" * 4096, "log.csv"),
            (bytes(range(256)) * 16, "log.csv"),
            ((",".join(f"c{n}" for n in range(10_000)) + "\n").encode(), "columns"),
            ((",".join([HEADER, *(f"c{n}" for n in range(10_000))]) + "\n").encode(), "columns"),
        ],
    )
    def test_is_refused_by_name(self, tmp_path, content, said, format_name):
        message = refused(given(tmp_path, content), format_name=format_name)

        assert re.search(said, message, re.IGNORECASE), message

    def test_neither_is_what_is_no_file(self, tmp_path):
        (tmp_path / "empty").mkdir()
        (tmp_path / "full").mkdir()
        (tmp_path / "full" / "a.csv").write_text(GOOD)
        (tmp_path / "full" / "b.csv").write_text(GOOD)
        os.mkfifo(tmp_path / "pipe")

        assert "empty" in refused(tmp_path / "empty")
        assert "a.csv" in refused(tmp_path / "full")
        assert "neither a file nor a folder" in refused(tmp_path / "pipe")
        assert "No such file" in refused(tmp_path / "nothing.csv")

    def test_a_file_that_may_not_be_read(self, tmp_path):
        path = given(tmp_path, GOOD)
        path.chmod(0)
        if os.access(path, os.R_OK):
            pytest.skip("whoever runs this may read every file")

        assert "Permission denied" in refused(path)


class TestRows:
    """Rows that cannot be taken, each with a reason; where all are such, nothing comes in."""

    @pytest.mark.parametrize(
        ("time", "said"),
        [
            ("2026-02-31T10:00:00Z", "not a time"),
            ("1850-01-01T10:00:00Z", "not between 1990 and 2100"),
            ("1772359200000", "divided by 1000"),
            ("2099-01-01T00:00:00Z", "in the future"),
            ("1e400", "year 2100|not a time"),
            ("-1", "not a time"),
            ("2026-03-01T25:00:00Z", "not a time"),
            ("10000-01-01", "not a time"),
        ],
    )
    def test_of_impossible_times(self, tmp_path, time, said):
        rows = f"{HEADER},answered_at\nann,a,1,{time}\nbo,b,0,{time}\n"

        message = refused(given(tmp_path, rows), format_name="csv")

        rejects = (tmp_path / "log.rejects.csv").read_text()
        assert "none of which can be taken" in message
        assert re.search(said, rejects), rejects
        assert len(rejects.splitlines()) == 3

    @pytest.mark.parametrize(
        "name",
        ['"=HYPERLINK(""http://x.example"",""y"")"', "=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0"],
    )
    def test_with_a_formula_for_a_name(self, tmp_path, name):
        rows = f"{HEADER}\n{name},a,1\nann,{name},1\n"

        message = refused(given(tmp_path, rows), format_name="csv")

        assert "none of which" in message
        assert "formula" in (tmp_path / "log.rejects.csv").read_text()

    @pytest.mark.parametrize(
        "row",
        [
            "an\x00n,a,1",
            "ann,a\x00,1",
            "ann,a,\x00",
            f"{'n' * 100_000},a,1",
            ",a,1",
            "ann,,1",
        ],
    )
    def test_beside_good_ones_stay_out(self, tmp_path, row):
        said = import_log(given(tmp_path, f"{GOOD}{row}\n"), "--no-fit")

        assert "1 rows rejected" in said
        assert Response.objects.count() == 2

    @pytest.mark.parametrize(
        "content",
        [
            b"\xef\xbb\xbf" + GOOD.encode(),
            GOOD.replace("\n", "\r\n").encode(),
            GOOD.replace("\n", "\r").encode(),
            f"{HEADER}\r\nann,a,1\nbo,b,0\r".encode(),
            f"{HEADER}\n\n\nann,a,1\n,,\nbo,b,0".encode(),
            GOOD.replace(",", ";").encode(),
            GOOD.replace(",", "\t").encode(),
        ],
    )
    def test_however_their_lines_end(self, tmp_path, content):
        import_log(given(tmp_path, content), "--no-fit", format_name="auto")

        assert Response.objects.count() == 2
        assert Learner.objects.count() == 2


class TestPacked:
    def test_in_an_archive_that_points_elsewhere_is_read_and_goes_nowhere(self, tmp_path):
        inner = tmp_path / "inner"
        inner.mkdir()
        before = sorted(tmp_path.rglob("*"))
        path = zipped(inner, {"../../outside.csv": GOOD})

        import_log(path, "--no-fit", format_name="auto")

        assert Response.objects.count() == 2
        assert sorted(tmp_path.rglob("*")) == sorted([*before, path])
        assert not (tmp_path.parent / "outside.csv").exists()

    @pytest.mark.parametrize(
        "files",
        [
            {"/etc/a.csv": GOOD, "../b.csv": GOOD},
            {"inner.zip": zipfile.ZipInfo("x").filename.encode()},
            {},
            {"folder/": b""},
        ],
    )
    def test_in_an_archive_of_several_or_none_is_asked_about(self, tmp_path, files):
        assert "log.zip" in refused(zipped(tmp_path, files))

    def test_twice_is_refused(self, tmp_path):
        inner = zipped(tmp_path, {"log.csv": GOOD}, "inner.zip").read_bytes()

        assert "twice" in refused(zipped(tmp_path, {"inner.zip": inner}))
        assert "twice" in refused(given(tmp_path, gzip.compress(inner), "log.gz"))

    @pytest.mark.parametrize("ending", PACKERS)
    def test_and_cut_off_or_followed_by_something_else(self, tmp_path, ending):
        packed = PACKERS[ending](GOOD.encode() * 50)

        for content in (packed[: len(packed) // 2], packed[:-1], packed + b"garbage" * 9):
            path = given(tmp_path, content, f"log.csv.{ending}")
            with contextlib.suppress(CommandError):
                # What follows a whole stream may be taken for another one, or for nothing.
                import_log(path, "--no-fit", "--dry-run")
            if len(content) < len(packed):
                assert f"log.csv.{ending}" in refused(path)
        assert counts() == dict.fromkeys(counts(), 0)

    def test_under_a_lie_about_its_size(self, tmp_path):
        path = zipped(tmp_path, {"log.csv": HEADER + "\n" + "ann,a,1\n" * 4000})
        content = bytearray(path.read_bytes())
        for start, place in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
            struct.pack_into("<I", content, content.index(start) + place, 100)
        path.write_bytes(content)

        assert "log.zip" in refused(path)

    def test_as_parquet_without_rows_columns_or_sense(self, tmp_path):
        path = tmp_path / "log.parquet"
        tables = [
            pa.table({"learner": ["a"], "item": ["b"]}),
            pa.table({name: pa.array([], pa.string()) for name in HEADER.split(",")}),
            pa.table({"learner": [["a"]], "item": [{"b": 1}], "correct": [b"\xff"]}),
        ]
        for table in tables:
            pq.write_table(table, path)
            assert refused(path)
        whole = path.read_bytes()
        for content in (whole[:-20], whole[:10], b"PAR1", whole[:4] + whole[-300:]):
            path.write_bytes(content)
            assert "log.parquet" in refused(path)


class TestChanging:
    def test_a_file_that_shrinks_after_it_was_looked_at(self, tmp_path, monkeypatch):
        path = given(tmp_path, GOOD + "cy,c,1\n" * 1000)
        whole = usecases.import_log

        def after_it_shrank(**asked):
            os.truncate(path, len(GOOD) + 10)
            return whole(**asked)

        monkeypatch.setattr(usecases, "import_log", after_it_shrank)
        said = import_log(path, "--no-fit")

        assert "1 rows rejected" in said
        assert Response.objects.count() == 3

    def test_a_file_that_is_gone_after_it_was_looked_at(self, tmp_path, monkeypatch):
        path = given(tmp_path, GOOD)
        whole = usecases.import_log

        def after_it_went(**asked):
            path.unlink()
            return whole(**asked)

        monkeypatch.setattr(usecases, "import_log", after_it_went)

        assert "No such file" in refused(path)
