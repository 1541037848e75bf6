"""A course folder packed into one file, as somebody sends it."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from tutor.content.importing.errors import ContentUnreadable
from tutor.content.importing.sources import open_files


@contextlib.contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """Yield the course's folder: `path` itself, or that in a zip or tar archive, unpacked for now.

    Raises:
        ContentUnreadable: there is nothing, it is neither, is beyond the bounds, or holds no
            course.yaml or several.
    """
    if path.is_dir():
        yield path
        return
    files = open_files(path)
    names = files.paths()
    outside = [name for name in names if not _is_inside(name)]
    if outside:
        raise ContentUnreadable(f"{path.name} holds {outside[0]!r}, outside of its own folder.")
    found = [PurePosixPath(name).parent for name in names if name.split("/")[-1] == "course.yaml"]
    if len(found) != 1:
        many = "no" if not found else "more than one"
        raise ContentUnreadable(f"{path.name} holds {many} course.yaml. Pack one course's folder.")
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            if PurePosixPath(name).is_relative_to(found[0]):
                to = Path(folder) / PurePosixPath(name).relative_to(found[0])
                to.parent.mkdir(parents=True, exist_ok=True)
                with files.open(name) as stream:
                    to.write_bytes(stream.read())
        yield Path(folder)


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and "\\" not in name
