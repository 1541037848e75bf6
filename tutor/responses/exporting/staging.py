"""Files that are there whole or not at all."""

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tutor.responses.exporting.errors import ExportInvalid, ExportNotWritten


@dataclass(frozen=True, slots=True)
class Staged:
    """Files under temporary names: `drafts` lie beside the `paths` that they become."""

    paths: tuple[Path, ...]
    drafts: tuple[Path, ...]

    def take_names(self) -> None:
        """Give the drafts their names, in their order, once they have reached the disk."""
        for draft in self.drafts:
            with draft.open("rb") as file:
                os.fsync(file.fileno())
        for draft, path in zip(self.drafts, self.paths, strict=True):
            draft.replace(path)


@contextlib.contextmanager
def staged(paths: Sequence[Path], *, may_replace: bool) -> Iterator[Staged]:
    """Stage files that are to lie in one folder, the most telling one last.

    However the block ends, no draft stays; without `take_names`, what was there before does. A
    process that is killed leaves files that begin with a dot and end in `.partial`.

    Raises:
        ExportInvalid: one of the files is there, and may not be replaced.
        ExportNotWritten: the folder is missing, or the system refuses to write; it says why.
    """
    _check(paths, may_replace=may_replace)
    drafts = tuple(path.with_name(f".{path.name}.{os.getpid()}.partial") for path in paths)
    try:
        yield Staged(tuple(paths), drafts)
    except OSError as error:
        raise ExportNotWritten(
            f"{paths[-1]} cannot be written: {error.strerror or error}. Nothing was exported.",
            path=str(paths[-1]),
        ) from error
    finally:
        for draft in drafts:
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)


def _check(paths: Sequence[Path], *, may_replace: bool) -> None:
    folder = paths[-1].parent
    if not folder.is_dir():
        raise ExportNotWritten(f"There is no folder {folder}; make it first.", path=str(folder))
    for path in paths:
        if path.is_dir():
            raise ExportInvalid(f"{path} is a folder; name a file in it.", path=str(path))
    present = [path.name for path in paths if path.exists()]
    if present and not may_replace:
        raise ExportInvalid(
            f"There is {', '.join(present)} in {folder} already; choose another name, or replace "
            "what is there with --force.",
            present=present,
        )
