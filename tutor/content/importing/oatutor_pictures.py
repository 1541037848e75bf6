"""OATutor's pictures, where the folder has them: `content-pool/PROBLEM/figures/NAME`.

OATutor keeps no words for who cannot see a picture, and none is shown without. They come in a table
beside the content: a CSV with the columns `problem`, `picture` and `alternative`.

While a text is converted a sign of its own stands for each picture, which no text holds and no
conversion touches; the item's finished texts get the picture in its place.
"""

import csv
import dataclasses
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tutor.content.errors import PictureRefused
from tutor.content.importing.errors import ContentUnreadable
from tutor.content.importing.listed import Listed
from tutor.content.importing.oatutor_files import POOL, OATutorFiles
from tutor.content.item_spec import ItemSpec
from tutor.content.picture_files import MAX_BYTES, PictureFile, read_picture

NO_WORDS = "picture without a text alternative"
UNFIT = "picture that cannot be shown"
COLUMNS = ("problem", "picture", "alternative")
# Of Unicode's private use: in no text that is meant to be read.
FIRST, LAST = "\ue000", "\ue001"
_NAMED = re.compile(
    r"##\s*([\w .()-]+\.(?:gif|png|jpe?g|webp))\s*(?:##|(?=\\n|\n|$))", re.IGNORECASE
)
_SPECIAL = re.compile(r"[\\\[\]$]")
_SIGN = re.compile(f"{FIRST}(\\d+){LAST}")

Alternatives = Mapping[tuple[str, str], str]


def read_alternatives(path: Path) -> dict[tuple[str, str], str]:
    """Return (problem, file's name in small letters) -> the words for it.

    Raises:
        ContentUnreadable: the file cannot be read, or lacks one of the columns.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ContentUnreadable(f"{path.name} cannot be read: {error}") from error
    rows = csv.DictReader(io.StringIO(text))
    missing = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
    if missing:
        raise ContentUnreadable(
            f"{path.name} has no column {', '.join(missing)}. It needs {', '.join(COLUMNS)}."
        )
    return {
        (row["problem"].strip(), row["picture"].strip().lower()): " ".join(
            row["alternative"].split()
        )
        for row in rows
        if (row["alternative"] or "").strip()
    }


@dataclass(frozen=True, slots=True)
class Placed:
    """A problem's data with signs for its pictures.

    Attributes:
        data: as it was read, each picture on hand replaced by its sign.
        pictures: of the signs, in their order: path in the course, words, picture.
        listed: pictures that are on hand and cannot be shown, each once.
    """

    data: Any
    pictures: tuple[tuple[str, str, PictureFile], ...] = ()
    listed: tuple[Listed, ...] = ()


class OATutorPictures:
    """The pictures of one content folder or archive."""

    def __init__(self, content: OATutorFiles, alternatives: Alternatives) -> None:
        """Name the content and the words for its pictures; nothing is read yet."""
        self._content = content
        self._alternatives = alternatives
        self._paths = frozenset(content.paths)

    def place(self, data: Any) -> Placed:
        """Return a problem's data with a sign for each picture that can be shown."""
        problem = str(data.get("id", "")) if isinstance(data, dict) else ""
        found: dict[str, tuple[str, str, PictureFile]] = {}
        listed: dict[str, Listed] = {}

        def sign(match: re.Match[str]) -> str:
            name = match[1].strip()
            if name not in found and name not in listed:
                taken = self._take(problem, name)
                if isinstance(taken, Listed):
                    listed[name] = taken
                elif taken is not None:
                    found[name] = taken
            if name not in found:
                return match[0]
            return f"\\n\\n{FIRST}{list(found).index(name)}{LAST}\\n\\n"

        placed = _in_texts(data, lambda text: _NAMED.sub(sign, text))
        return Placed(placed, tuple(found.values()), tuple(listed.values()))

    def _take(self, problem: str, name: str) -> tuple[str, str, PictureFile] | Listed | None:
        path = f"{self._content.root}{POOL}{problem}/figures/{name}"
        if path not in self._paths:
            return None
        words = self._alternatives.get((problem, name.lower()), "")
        if not words:
            return Listed(problem, "", NO_WORDS, name)
        with self._content.files.open(path) as stream:
            try:
                picture = read_picture(stream.read(MAX_BYTES + 1))
            except PictureRefused as error:
                return Listed(problem, "", UNFIT, f"{name}: {error.message}")
        return f"{problem}/{name}".replace(" ", "_"), words, picture


def _in_texts(data: Any, change: Any) -> Any:
    """Return JSON data with every text in it changed."""
    if isinstance(data, str):
        return change(data)
    if isinstance(data, list):
        return [_in_texts(part, change) for part in data]
    if isinstance(data, dict):
        return {name: _in_texts(part, change) for name, part in data.items()}
    return data


def has_sign(text: str) -> bool:
    """Test whether a picture stands in a text that is being converted."""
    return FIRST in text


def with_pictures(item: ItemSpec, placed: Placed) -> ItemSpec:
    """Return the item with its pictures in place of their signs."""
    used: dict[str, PictureFile] = {}

    def shown(text: str) -> str:
        def picture(match: re.Match[str]) -> str:
            path, words, file = placed.pictures[int(match[1])]
            used[path] = file
            escaped = _SPECIAL.sub(r"\\\g<0>", words)
            return f"![{escaped}]({path})"

        return _SIGN.sub(picture, text)

    changed = dataclasses.replace(
        item,
        stem=shown(item.stem),
        choices=tuple({**one, "text": shown(str(one["text"]))} for one in item.choices),
        hints=tuple(shown(hint) for hint in item.hints),
        solution=shown(item.solution),
    )
    return dataclasses.replace(changed, pictures={path: one.ref for path, one in used.items()})
