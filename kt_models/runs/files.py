"""Writing of results: whole files or none, and one message where a path cannot be written."""

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kt_models.errors import KTModelError


class CannotWrite(KTModelError):
    """The folder for the results cannot be written to."""


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what the system says about a path that cannot be written into one message."""
    try:
        yield
    except OSError as error:
        raise CannotWrite(f"{error.filename or path}: {error.strerror or error}.") from error


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Write a JSON object in place of the file, whole or not at all."""
    write_text(path, json.dumps(values, indent=1, allow_nan=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a text in place of the file, whole or not at all."""
    part = path.with_name(f"{path.name}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
