"""The files of a content import: a folder, or a zip or tar archive of one.

An archive is read in one pass within bounds, and only what has a wanted ending is kept: nobody
can fill disk or memory with a small file that unpacks into a large one, and no path of an archive
is ever written to.
"""

import io
import itertools
import lzma
import os
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Protocol

from tutor.content.importing.errors import ContentUnreadable

MAX_FILES = 500_000
MAX_FILE_BYTES = 256_000_000
MAX_TOTAL_BYTES = 1_000_000_000
MAX_DEPTH = 12
ENDINGS = (".json", ".jsonl", ".csv", ".yaml", ".png", ".jpg", ".jpeg", ".gif", ".webp")


class Files(Protocol):
    """Files by their path inside the source, parts joined by slashes."""

    name: str

    def paths(self) -> tuple[str, ...]:
        """Return all paths, sorted."""

    def open(self, path: str) -> IO[bytes]:
        """Open one file."""


def open_files(path: Path) -> Files:
    """Return the files of a folder, or of a zip or tar archive.

    Raises:
        ContentUnreadable: there is nothing at `path`, it is neither, or it is beyond the bounds.
    """
    if path.is_dir():
        return Folder(path)
    if not path.exists():
        raise ContentUnreadable(f"{path}: there is no such folder or file.")
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                return Unpacked(path.name, _zipped(archive))
        with tarfile.open(path, "r|*") as stream:
            return Unpacked(path.name, _tarred(stream))
    except (tarfile.ReadError, zipfile.BadZipFile) as error:
        raise ContentUnreadable(
            f"{path.name} is neither a folder nor a zip or tar archive ({error})."
        ) from error
    # RuntimeError: a zip with a password.
    except (OSError, EOFError, RuntimeError, lzma.LZMAError, zlib.error) as error:
        raise ContentUnreadable(f"{path.name} cannot be unpacked: {error}") from error


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder on disk."""

    folder: Path

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.resolve().name

    def paths(self) -> tuple[str, ...]:
        """Return the paths of all wanted files below the folder, hidden folders left out."""
        found: list[str] = []
        for folder, folders, files in os.walk(self.folder):
            folders[:] = [
                name for name in folders if not name.startswith(".") and name != "node_modules"
            ]
            inside = Path(folder).relative_to(self.folder)
            found += [(inside / name).as_posix() for name in files if name.endswith(ENDINGS)]
            if len(found) > MAX_FILES:
                raise ContentUnreadable(
                    f"{self.folder} holds more than {MAX_FILES:,} files. Give the content's folder."
                )
        return tuple(sorted(found))

    def open(self, path: str) -> IO[bytes]:
        """Open one file."""
        return (self.folder / path).open("rb")


class Unpacked:
    """The wanted files of an archive, in memory."""

    def __init__(self, name: str, members: Iterable[tuple[str, bytes]]) -> None:
        self.name = name
        self._content = dict(members)

    def paths(self) -> tuple[str, ...]:
        """Return the paths of all wanted files."""
        return tuple(sorted(self._content))

    def open(self, path: str) -> IO[bytes]:
        """Open one file."""
        return io.BytesIO(self._content[path])


def _zipped(archive: zipfile.ZipFile) -> Iterator[tuple[str, bytes]]:
    budget = _Budget()
    for member in archive.infolist():
        if budget.wants(member.filename) and not member.is_dir():
            with archive.open(member) as stream:
                yield member.filename, budget.read(stream)


def _tarred(archive: tarfile.TarFile) -> Iterator[tuple[str, bytes]]:
    budget = _Budget()
    for member in archive:
        if budget.wants(member.name) and member.isfile():
            stream = archive.extractfile(member)
            if stream is not None:
                yield member.name, budget.read(stream)
        elif member.isfile():
            budget.skip(member.size)


class _Budget:
    """Counts what an archive unpacks to; the sizes it states itself are not believed."""

    def __init__(self) -> None:
        self.members = itertools.count(1)
        self.left = MAX_TOTAL_BYTES

    def wants(self, name: str) -> bool:
        if next(self.members) > MAX_FILES:
            raise ContentUnreadable(f"The archive holds more than {MAX_FILES:,} files.")
        parts = PurePosixPath(name).parts
        is_hidden = any(part.startswith("._") or part == "__MACOSX" for part in parts)
        return name.endswith(ENDINGS) and not is_hidden and len(parts) <= MAX_DEPTH

    def read(self, stream: IO[bytes]) -> bytes:
        data = stream.read(min(MAX_FILE_BYTES, self.left) + 1)
        self.skip(len(data))
        if len(data) > MAX_FILE_BYTES:
            raise ContentUnreadable(
                f"A file in the archive unpacks to over {MAX_FILE_BYTES:,} bytes."
            )
        return data

    def skip(self, size: int) -> None:
        self.left -= size
        if self.left < 0:
            raise ContentUnreadable(f"The archive unpacks to more than {MAX_TOTAL_BYTES:,} bytes.")
