"""The pictures that an item names in its texts: each found, fit to be shown, and in words too."""

import dataclasses
from collections.abc import Iterator
from pathlib import PurePosixPath

from tutor.content import picture_text
from tutor.content.course_fields import shown
from tutor.content.errors import PictureRefused
from tutor.content.item_spec import ItemSpec
from tutor.content.picture_folder import PictureFolder
from tutor.content.picture_text import PictureRef

# Longer, and it belongs into the text, where everybody can read it at their own pace.
LONGEST_ALTERNATIVE = 600
_ADVICE = "Write in the square brackets what somebody who cannot see it needs to know."


def with_pictures(
    spec: ItemSpec, *, where: str, folder: PictureFolder, problems: list[str]
) -> ItemSpec:
    """Return the item with its pictures; each problem is noted with file, item, field and path."""
    found: dict[str, PictureRef] = {}
    for name, text in texts_of(spec):
        for named in picture_text.find(text):
            at = f"{where}, {name}: the picture {shown(named.path)}"
            problem = _problem_of(named)
            if problem:
                problems.append(f"{at} {problem}")
                continue
            try:
                pictures = folder.find(named.path)
            except PictureRefused as error:
                problems.append(f"{at} {error.message}")
                continue
            found |= {path: picture.ref for path, picture in pictures.items()}
    for name, text in _texts_without(spec):
        if any(picture_text.find(text)):
            problems.append(f"{where}, {name}: no picture is shown here. Put it into the solution.")
    return dataclasses.replace(spec, pictures=found) if found else spec


def texts_of(spec: ItemSpec) -> Iterator[tuple[str, str]]:
    """Yield (field, text) for the texts that may hold pictures."""
    yield "stem", spec.stem
    for number, choice in enumerate(spec.choices, start=1):
        yield f"choice {number}", str(choice["text"])
    for number, hint in enumerate(spec.hints, start=1):
        yield f"hint {number}", hint
    for number, step in enumerate(spec.steps, start=1):
        yield f"step {number}, ask", str(step["ask"])
    yield "solution", spec.solution


def _texts_without(spec: ItemSpec) -> Iterator[tuple[str, str]]:
    for kind, entries in (("choice", spec.choices), ("wrong", spec.wrong)):
        for number, entry in enumerate(entries, start=1):
            yield f"{kind} {number}, feedback", str(entry.get("feedback") or "")


def _problem_of(named: picture_text.Named) -> str:
    alternative = picture_text.unescaped(named.alternative)
    if not alternative:
        return f"has no text alternative. {_ADVICE}"
    if alternative.lower() in _names(named.path):
        return f"has its file's name for a text alternative. {_ADVICE}"
    if len(alternative) > LONGEST_ALTERNATIVE:
        return (
            f"has a text alternative of {len(alternative)} characters; at most "
            f"{LONGEST_ALTERNATIVE}. Write what is long into the text."
        )
    if "$" in named.alternative.replace(r"\$", ""):
        return "has a formula in its text alternative. Write it in words, without $."
    return ""


def _names(path: str) -> set[str]:
    file = PurePosixPath(path)
    # A plain word may be both: "Triangle" for triangle.png.
    stems = set() if file.stem.isalpha() else {file.stem.lower()}
    return {path.lower(), file.name.lower(), *stems}
