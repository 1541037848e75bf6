"""Inputs as they lie: packed, foreign, damaged, or made to unpack for ever."""

import bz2
import gzip
import lzma
import os
import random
import zipfile

import pytest

from tests.tutor.responses.importing.reading import read_log
from tutor.responses.importing import sources
from tutor.responses.importing.errors import UnreadableLog

TEXT = "learner,item,correct\nann,a,1\nbo,b,0\n"
PACKERS = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}


def zipped(path, files, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


class TestPacked:
    @pytest.mark.parametrize("ending", PACKERS)
    @pytest.mark.parametrize("named", [True, False])
    def test_is_read_as_it_is(self, tmp_path, ending, named):
        path = tmp_path / (f"log.csv.{ending}" if named else "log")
        path.write_bytes(PACKERS[ending](TEXT.encode()))

        assert len(read_log(path, form="auto").answers) == 2

    @pytest.mark.parametrize("ending", PACKERS)
    def test_in_several_streams_is_one_text(self, tmp_path, ending):
        pack = PACKERS[ending]
        path = tmp_path / "log"
        path.write_bytes(pack(TEXT[:30].encode()) + pack(TEXT[30:].encode()))

        assert len(read_log(path).answers) == 2

    def test_as_a_zip_with_what_a_mac_adds(self, tmp_path):
        files = {"a/log.csv": TEXT, "__MACOSX/a/._log.csv": b"\x00", "a/.DS_Store": b"\x00"}

        assert len(read_log(zipped(tmp_path / "log.zip", files), form="auto").answers) == 2

    @pytest.mark.parametrize("ending", PACKERS)
    def test_and_cut_off_is_refused(self, tmp_path, ending):
        path = tmp_path / "log"
        path.write_bytes(PACKERS[ending](TEXT.encode())[:-10])

        with pytest.raises(UnreadableLog, match="damaged or cut off"):
            read_log(path, form="auto")

    def test_and_damaged_inside_a_zip_is_refused(self, tmp_path):
        path = zipped(tmp_path / "log.zip", {"log.csv": TEXT * 99}, zipfile.ZIP_STORED)
        path.write_bytes(path.read_bytes().replace(b"bo,b,0", b"bo,b,1", 3))

        with pytest.raises(UnreadableLog, match="damaged"):
            read_log(path, form="auto")

    @pytest.mark.parametrize("ending", PACKERS)
    def test_twice_is_refused(self, tmp_path, ending):
        path = tmp_path / "log"
        path.write_bytes(PACKERS[ending](gzip.compress(TEXT.encode())))

        with pytest.raises(UnreadableLog, match="packed twice"):
            read_log(path, form="auto")


class TestBombs:
    @pytest.mark.parametrize("ending", PACKERS)
    def test_a_stream_that_unpacks_for_ever_is_stopped(self, tmp_path, monkeypatch, ending):
        monkeypatch.setattr(sources, "UNPACKED_FREELY", 2**20)
        path = tmp_path / "log"
        row = b"ann,a,1\n"
        path.write_bytes(PACKERS[ending](TEXT.encode() + row * (2**24 // len(row))))

        with pytest.raises(UnreadableLog, match="more than 200 times its size"):
            read_log(path, form="auto")

    def test_a_zip_is_asked_beforehand(self, tmp_path, monkeypatch):
        monkeypatch.setattr(sources, "UNPACKED_FREELY", 2**20)
        path = zipped(tmp_path / "log.zip", {f"{n}.csv": b"0" * 2**20 for n in range(16)})

        with pytest.raises(UnreadableLog, match="more than 200 times its size"):
            read_log(path, form="auto")

    def test_an_xz_that_wants_much_memory_is_refused(self, tmp_path):
        filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 2**28}]
        path = tmp_path / "log.xz"
        path.write_bytes(lzma.compress(TEXT.encode(), filters=filters))

        with pytest.raises(UnreadableLog, match="damaged or cut off: Memory"):
            read_log(path, form="auto")

    def test_xz_as_tight_as_it_goes_is_read(self, tmp_path):
        path = tmp_path / "log.xz"
        path.write_bytes(lzma.compress(TEXT.encode(), preset=9 | lzma.PRESET_EXTREME))

        assert len(read_log(path).answers) == 2


class TestForeign:
    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (b"%PDF-1.7\n", "is a PDF"),
            (b"\x89PNG\r\n\x1a\n" + b"\x00" * 50, "is a picture"),
            (b"SQLite format 3\x00", "is an SQLite database"),
            (b"\xd0\xcf\x11\xe0" + b"\x00" * 600, "is an old Excel"),
            (b"\n  <!DOCTYPE html><html>", "is a web page"),
            (b"\x28\xb5\x2f\xfd0000", "packed with zstd"),
            (b"\x00" * 257 + b"ustar" + b"\x00" * 300, "is a tar archive"),
            (gzip.compress(b"%PDF-1.7\n", mtime=0), "is a PDF"),
        ],
    )
    def test_is_named_for_what_it_is(self, tmp_path, content, said):
        path = tmp_path / "log.csv"
        path.write_bytes(content)

        with pytest.raises(UnreadableLog, match=said):
            read_log(path, form="auto")

    def test_a_workbook_is_a_workbook(self, tmp_path):
        path = zipped(tmp_path / "log.csv", {"[Content_Types].xml": "x", "xl/workbook.xml": "x"})

        with pytest.raises(UnreadableLog, match="is a workbook; save the sheet as CSV"):
            read_log(path, form="auto")

    def test_an_archive_of_several_tables_is_asked_about(self, tmp_path):
        path = zipped(tmp_path / "log.zip", {"a.csv": TEXT, "b.csv": TEXT})

        with pytest.raises(UnreadableLog, match=r"holds 2 files \(a.csv, b.csv\)"):
            read_log(path, form="auto")

    def test_neither_file_nor_folder(self, tmp_path):
        os.mkfifo(tmp_path / "pipe")

        with pytest.raises(UnreadableLog, match="neither a file nor a folder"):
            read_log(tmp_path / "pipe", form="auto")
        with pytest.raises(UnreadableLog, match="No such file"):
            read_log(tmp_path / "none", form="auto")
        (tmp_path / "empty").mkdir()
        with pytest.raises(UnreadableLog, match="holds no file"):
            read_log(tmp_path / "empty", form="auto")


def test_the_hash_of_a_folder_is_that_of_names_and_contents(tmp_path):
    found = []
    for name, content in (("a", "1"), ("a", "2"), ("b", "1")):
        folder = tmp_path / f"{name}{content}"
        folder.mkdir()
        (folder / name).write_text(content)
        with sources.open_source(folder) as source:
            found.append(source.hash())

    assert len(set(found)) == 3


@pytest.mark.parametrize("ending", ["", *PACKERS])
def test_says_how_far_the_reading_is(tmp_path, ending):
    rng = random.Random(1)
    rows = "".join(f"{rng.random()},{rng.random()},1\n" for _ in range(20_000)).encode()
    path = tmp_path / "log"
    path.write_bytes(PACKERS[ending](rows) if ending else rows)

    with sources.open_source(path) as source, source.single().open() as file:
        places = []
        while file.read(65_536):
            places.append(source.position())

    assert places == sorted(places)
    assert 0 < places[0] < places[-1] == source.size or ending == "bz2"
    assert places[-1] <= source.size
