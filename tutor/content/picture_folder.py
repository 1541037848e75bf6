"""The pictures of a course folder: found by path, each read and checked once."""

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from tutor.content import picture_text
from tutor.content.errors import PictureRefused
from tutor.content.picture_files import MAX_BYTES, PictureFile, read_picture

ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".gif")
# All of a course's together; they are held in memory until they are stored.
MAX_COURSE_BYTES = 200_000_000


class PictureFolder:
    """Reads pictures below one folder and keeps them for all items that name them."""

    def __init__(self, folder: Path) -> None:
        """Name the course's folder; nothing is read yet."""
        self._root = folder.resolve()
        self._read: dict[str, PictureFile] = {}
        self._bytes = 0

    @property
    def files(self) -> tuple[PictureFile, ...]:
        """Every picture read so far, each once, by digest."""
        by_digest = {found.digest: found for found in self._read.values()}
        return tuple(by_digest[digest] for digest in sorted(by_digest))

    def find(self, path: str) -> Mapping[str, PictureFile]:
        """Return path -> picture for a path of a course file, several where it has holes.

        Raises:
            PictureRefused: there is none, it lies outside of the folder, or it is not fit.
        """
        if "[[" not in path:
            return {path: self._one(path)}
        pattern = picture_text.path_pattern(path)
        folder = PurePosixPath(path).parent
        if "[[" in folder.as_posix():
            raise PictureRefused("has [[...]] in the name of a folder. Only the file's may have.")
        inside = self._inside(folder.as_posix())
        names = sorted(found.name for found in inside.iterdir()) if inside.is_dir() else []
        paths = [(folder / name).as_posix() for name in names]
        found = {one: self._one(one) for one in paths if pattern.fullmatch(one)}
        if not found:
            raise PictureRefused("names no file: there is none that fits in the course's folder.")
        return found

    def _one(self, path: str) -> PictureFile:
        if path not in self._read:
            file = self._inside(path)
            if not file.is_file():
                raise PictureRefused(_missing(path))
            with file.open("rb") as stream:
                picture = read_picture(stream.read(MAX_BYTES + 1))
            self._bytes += len(picture.data)
            if self._bytes > MAX_COURSE_BYTES:
                raise PictureRefused(
                    f"is one too many: the course's pictures have over {MAX_COURSE_BYTES:,} bytes."
                )
            self._read[path] = picture
        return self._read[path]

    def _inside(self, path: str) -> Path:
        named = PurePosixPath(path)
        found = (self._root / named).resolve()
        if named.is_absolute() or "\\" in path or not found.is_relative_to(self._root):
            raise PictureRefused(
                "lies outside of the course. Put the file into the course's folder and write the "
                "path from there, e.g. pictures/line.png."
            )
        return found


def _missing(path: str) -> str:
    if "://" in path or path.startswith("data:"):
        return "is on another site, which a learner's page never calls. Save it into the course."
    return "is not in the course's folder. Add the file, or correct the path."
