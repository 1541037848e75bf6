"""An input as it lies on the disk: one file, packed or not, or a folder or archive of files.

Nothing is unpacked onto the disk. What comes out of a packed file is counted while it is read,
so that a small file that unpacks to a huge one is refused before it fills memory or time.
"""

import bz2
import gzip
import hashlib
import io
import lzma
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from typing_extensions import override

from tutor.responses.importing.errors import UnreadableLog

# A packed log shrinks ten- to thirtyfold. Up to the first number of bytes nobody asks.
UNPACKED_FREELY = 64 * 2**20
MOST_TIMES = 200
# What `xz -9` needs; a file may ask for 4 GB.
XZ_MEMORY = 80 * 2**20
# EdNet has a file for each of 784,309 learners.
MOST_MEMBERS = 2_000_000
CHUNK = 256 * 1024

_FOREIGN = (
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word file"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"\x28\xb5\x2f\xfd", "packed with zstd"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90", "a program"),
    (b"<!DOCTYPE", "a web page"),
    (b"<!doctype", "a web page"),
    (b"<html", "a web page"),
    (b"<?xml", "an XML file"),
)
_GZIP, _BZIP2, _XZ, _ZIP, PARQUET = b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00", b"PK\x03\x04", b"PAR1"
_DAMAGED = (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile, zipfile.BadZipFile)
_TABLES = (".csv", ".tsv", ".txt", ".tab")


@dataclass(frozen=True, slots=True)
class Member:
    """One file of the input: its name, and how to open its unpacked bytes."""

    name: str
    open: Callable[[], BinaryIO] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Source:
    """An input.

    Attributes:
        path: as given.
        members: its files by their name within it, `/` between folders.
        is_many: a folder or an archive; else there is one member.
        size: bytes on the disk.
        position: returns how many of these have been read.
    """

    path: Path
    members: dict[str, Member]
    is_many: bool
    size: int
    position: Callable[[], int] = field(repr=False)

    @property
    def name(self) -> str:
        """What messages call it."""
        return self.path.name or str(self.path)

    def single(self) -> Member:
        """Return the one file that is the log.

        Raises:
            UnreadableLog: there are several, or none.
        """
        if not self.is_many:
            return next(iter(self.members.values()))
        tables = [name for name in self.members if name.lower().endswith(_TABLES)]
        if len(tables) == 1:
            return self.members[tables[0]]
        shown = ", ".join(sorted(tables)[:5]) or "none that is a table"
        raise UnreadableLog(
            f"{self.name} holds {len(self.members)} files ({shown}); give one of them, or name "
            "the format that this folder has."
        )

    def find(self, name: str) -> Member | None:
        """Return the member of that file name, in whichever folder within the input."""
        lowered = name.lower()
        for path, member in self.members.items():
            if PurePosixPath(path).name.lower() == lowered:
                return member
        return None

    def hash(self) -> str:
        """Return the SHA-256 of the input: of the file as it lies, or of names and contents."""
        if self.path.is_file():
            with self.path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        digest = hashlib.sha256()
        for name in sorted(self.members):
            digest.update(name.encode("utf-8", "surrogateescape") + b"\x00")
            with self.members[name].open() as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        return digest.hexdigest()


@contextmanager
def open_source(path: Path) -> Iterator[Source]:
    """Open an input for reading; what goes wrong with it meanwhile becomes an `UnreadableLog`.

    Raises:
        UnreadableLog: there is nothing there, it is no log by its first bytes, it is damaged, or
            it unpacks to far more than it holds.
    """
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            yield _folder(path)
        elif not stat.S_ISREG(mode):
            raise UnreadableLog(f"{path} is neither a file nor a folder.")
        else:
            with path.open("rb") as file:
                yield _file(path, file)
    except _DAMAGED as error:
        raise UnreadableLog(f"{path.name} is damaged or cut off: {error}.") from error
    except OSError as error:
        raise UnreadableLog(f"{path}: {error.strerror or error}.", path=str(path)) from error


def _folder(path: Path) -> Source:
    members: dict[str, Member] = {}
    read = 0

    def opener(file: Path) -> Callable[[], BinaryIO]:
        def open_it() -> BinaryIO:
            nonlocal read
            read += file.stat().st_size
            return file.open("rb")

        return open_it

    size = 0
    for file in sorted(path.rglob("*")):
        if file.is_file() and not file.name.startswith("."):
            name = file.relative_to(path).as_posix()
            members[name] = Member(name, opener(file))
            size += file.stat().st_size
    if not members:
        raise UnreadableLog(f"The folder {path} holds no file.")
    return Source(path, members, is_many=True, size=size, position=lambda: read)


def _file(path: Path, file: BinaryIO) -> Source:
    head = file.read(512)
    file.seek(0)
    if head.startswith(_ZIP):
        return _archive(path, file, path.stat().st_size)
    unpack = _unpacker(head)
    if unpack is None:
        check_head(head, name=path.name)
        return _plain(path)
    return _packed(path, file, unpack)


def _plain(path: Path) -> Source:
    size, handles = path.stat().st_size, list[BinaryIO]()

    def open_it() -> BinaryIO:
        handles.append(path.open("rb"))
        return handles[-1]

    def position() -> int:
        if not handles:
            return 0
        return size if handles[-1].closed else handles[-1].tell()

    members = {path.name: Member(path.name, open_it)}
    return Source(path, members, is_many=False, size=size, position=position)


def _packed(path: Path, file: BinaryIO, unpack: Callable[[BinaryIO], BinaryIO]) -> Source:
    def open_it() -> BinaryIO:
        file.seek(0)
        return io.BufferedReader(_Counted(unpack(file), file.tell, name=path.name), CHUNK)

    with open_it() as unpacked:
        start = unpacked.read(512)
    check_head(start, name=path.name)
    if start.startswith((_ZIP, _GZIP, _BZIP2, _XZ, PARQUET)):
        raise UnreadableLog(f"{path.name} is packed twice; unpack it once.")
    name = path.stem if path.suffix.lower() in {".gz", ".bz2", ".xz"} else path.name
    size = path.stat().st_size
    return Source(path, {name: Member(name, open_it)}, is_many=False, size=size, position=file.tell)


def _unpacker(head: bytes) -> Callable[[BinaryIO], BinaryIO] | None:
    if head.startswith(_GZIP):
        return lambda file: gzip.GzipFile(fileobj=file)  # type: ignore[return-value]
    if head.startswith(_BZIP2):
        return bz2.BZ2File  # type: ignore[return-value]
    if head.startswith(_XZ):
        return lambda file: io.BufferedReader(_Xz(file), CHUNK)
    return None


def check_head(head: bytes, *, name: str) -> None:
    """Refuse what is no log by its first bytes.

    Raises:
        UnreadableLog: it is a picture, a workbook, ...; the message says what to do.
    """
    for start, what in _FOREIGN:
        if head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(start):
            raise UnreadableLog(
                f"{name} is {what}, no table of answers; save the answers as CSV and give that."
            )
    if head[257:262] == b"ustar":
        raise UnreadableLog(f"{name} is a tar archive; unpack it and give the folder or file.")


def _archive(path: Path, file: BinaryIO, size: int) -> Source:
    archive = zipfile.ZipFile(file)
    infos = [
        info
        for info in archive.infolist()
        if not info.is_dir()
        and not info.filename.startswith("__MACOSX/")
        and not PurePosixPath(info.filename).name.startswith(".")
    ]
    names = {info.filename for info in infos}
    if "[Content_Types].xml" in names or "mimetype" in names:
        raise UnreadableLog(f"{path.name} is a workbook; save the sheet as CSV and give that.")
    if not infos:
        raise UnreadableLog(f"The archive {path.name} holds no file.")
    if len(infos) > MOST_MEMBERS:
        raise UnreadableLog(f"{path.name} holds more than {MOST_MEMBERS:,} files.")
    methods = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2}
    strange = next((i for i in infos if i.compress_type not in methods or i.flag_bits & 1), None)
    if strange is not None:
        raise UnreadableLog(
            f"{path.name} is encrypted or packed in an unusual way; unpack it and give the folder."
        )
    # A member never unpacks to more than its entry says, so the entries can be asked beforehand.
    check_growth(sum(info.file_size for info in infos), size, name=path.name)

    def opener(info: zipfile.ZipInfo) -> Callable[[], BinaryIO]:
        return lambda: archive.open(info)  # type: ignore[return-value]

    members = {info.filename: Member(info.filename, opener(info)) for info in infos}
    if len(infos) == 1:
        with members[infos[0].filename].open() as start:
            head = start.read(512)
        check_head(head, name=f"{infos[0].filename} in {path.name}")
        if head.startswith((_ZIP, _GZIP, _BZIP2, _XZ, PARQUET)):
            raise UnreadableLog(f"{path.name} is packed twice; unpack it once.")
    return Source(path, members, is_many=True, size=size, position=file.tell)


def check_growth(unpacked: int, packed: int, *, name: str) -> None:
    """Refuse what unpacks to far more than it holds.

    Raises:
        UnreadableLog: it is more than `UNPACKED_FREELY` bytes and `MOST_TIMES` its packed size.
    """
    if unpacked > UNPACKED_FREELY and unpacked > MOST_TIMES * max(packed, 1):
        raise UnreadableLog(
            f"{name} unpacks to more than {MOST_TIMES} times its size, as no log does; "
            "if it is one, unpack it and give that."
        )


class _Counted(io.RawIOBase):
    """Unpacked bytes, counted against the packed ones they came from."""

    def __init__(self, inner: BinaryIO, packed: Callable[[], int], *, name: str) -> None:
        self._inner, self._packed, self._name, self._count = inner, packed, name, 0

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        chunk = self._inner.read(len(buffer))
        self._count += len(chunk)
        check_growth(self._count, self._packed(), name=self._name)
        buffer[: len(chunk)] = chunk
        return len(chunk)


class _Xz(io.RawIOBase):
    """An xz file, of one stream or several, within a limit of memory that `lzma.open` lacks."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._stream = self._new()
        self._rest = b""

    @staticmethod
    def _new() -> lzma.LZMADecompressor:
        return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=XZ_MEMORY)

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        while True:
            if self._stream.eof:
                # Streams may follow each other, and zeros may pad the end.
                self._rest = (self._stream.unused_data or self._file.read(CHUNK)).lstrip(b"\x00")
                if not self._rest:
                    return 0
                self._stream = self._new()
            if self._stream.needs_input and not self._rest:
                self._rest = self._file.read(CHUNK)
                if not self._rest:
                    message = "it ends in the middle"
                    raise EOFError(message)
            chunk = self._stream.decompress(self._rest, len(buffer))
            self._rest = b""
            if chunk:
                buffer[: len(chunk)] = chunk
                return len(chunk)
