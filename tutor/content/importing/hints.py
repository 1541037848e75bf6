"""From a pathway of hints and scaffolds to a ladder of rungs and a worked solution.

A scaffold is a smaller question: one rung asks it, the next gives its answer. A rung that gives
the answer of the step itself comes last, wherever it stood.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from tutor.content.importing.listed import Unfit
from tutor.content.importing.oatutor_records import RawHint
from tutor.content.importing.texts import escape, to_markup
from tutor.content.importing.wording import Wording

DROPPED = "taken without a hint"
NO_PICTURE = "taken with a hint whose picture is missing"
# What is left of a hint without its picture must still say something.
SHORTEST_WITHOUT_PICTURE = 25
MOST_RUNGS = 30

_SEES = re.compile(
    r"\b(?:image|figure|graph|picture|diagram|table|chart|plot|shown|below|above|attached)",
    re.IGNORECASE,
)
_NEGLIGIBLE = re.compile(r"\\left|\\right|[\s$]")
_PART = re.compile(r"\$((?:\\.|[^$\\])+)\$")


@dataclass(frozen=True, slots=True)
class Ladder:
    """Hints in our markup, a solution, and notes (reason, detail) on what was left out."""

    hints: tuple[str, ...]
    solution: str
    notes: tuple[tuple[str, str], ...] = ()


def read_ladder(
    hints: Sequence[RawHint], *, answers: Sequence[str], question: str, wording: Wording
) -> Ladder:
    """Return the ladder.

    Args:
        hints: of one pathway.
        answers: the right answer in our markup, in each way it may be written.
        question: the stem in our markup; what it says itself gives nothing away.
        wording: words of the course's language.
    """
    notes: list[tuple[str, str]] = []
    units: list[list[str]] = []
    for hint in in_order(hints):
        asked = _shown(hint, notes)
        if asked is None:
            continue
        found = _answer(hint) if hint.is_question else None
        unit = [asked] if found is None else [asked, f"{wording.answer} {found}"]
        if unit not in units:
            units.append(unit)
    gives = _Revealing(answers, question=question, wording=wording)
    early = [unit for unit in units if not any(gives.away(rung) for rung in unit)]
    late = [unit for unit in units if any(gives.away(rung) for rung in unit)]
    # Pages show the answer above the solution; without a hint it is all there is.
    solution = ["\n".join(unit) for unit in units]
    solution = solution or [f"{wording.answer} {answer}" for answer in answers[:1]]
    return Ladder(
        hints=tuple([rung for unit in early + late for rung in unit][:MOST_RUNGS]),
        solution="\n\n".join(solution),
        notes=tuple(notes),
    )


def in_order(hints: Sequence[RawHint]) -> list[RawHint]:
    """Return the hints, each after those it depends on, else as they stand; inner ones follow."""
    waiting = {hint.id: hint for hint in hints}
    found: list[RawHint] = []
    placed: set[int] = set()

    def place(hint: RawHint, trail: frozenset[str]) -> None:
        if id(hint) in placed:
            return
        for needed in hint.needs:
            # A circle among hints is broken where it is met.
            if needed in waiting and needed not in trail:
                place(waiting[needed], trail | {needed})
        if id(hint) not in placed:
            placed.add(id(hint))
            found.extend([hint, *in_order(hint.inner)])

    for hint in hints:
        place(hint, frozenset({hint.id}))
    return found


def _shown(hint: RawHint, notes: list[tuple[str, str]]) -> str | None:
    """Return title, text and choices of a hint; None, with a note, if it cannot be shown."""
    try:
        title, text = to_markup(hint.title), to_markup(hint.text)
        options = [to_markup(choice) for choice in hint.choices] if hint.is_question else []
    except Unfit as unfit:
        notes.append((DROPPED, f"{hint.id}: {unfit}"))
        return None
    if text.has_picture or any(option.has_picture for option in options):
        if len(text.text) < SHORTEST_WITHOUT_PICTURE or options or _SEES.search(text.text):
            notes.append((DROPPED, f"{hint.id}: a picture that is not in the data"))
            return None
        notes.append((NO_PICTURE, hint.id))
    heading = " ".join(title.text.split())
    lines = [f"**{heading}**"] if heading and heading != text.text else []
    lines += [text.text] if text.text else []
    lines += [f"– {' '.join(option.text.split())}" for option in options]
    return "\n".join(lines) or None


def _answer(hint: RawHint) -> str | None:
    shown = [as_shown(answer) for answer in hint.answers[:1]]
    return next((answer for answer in shown if answer), None)


def as_shown(answer: str) -> str | None:
    """Return an answer in our markup, or None if it cannot be shown."""
    try:
        shown = to_markup(answer) if "$$" in answer else to_markup(answer.replace("\\n", " "))
    except Unfit:
        plain = answer.replace("$$", "").strip()
        return None if "\\" in plain or "://" in plain else escape(plain)
    return shown.text or None


class _Revealing:
    """Tells which rungs give the answer of the step away."""

    def __init__(self, answers: Iterable[str], *, question: str, wording: Wording) -> None:
        self.keys = {key for key in map(_bare, answers) if key}
        self.asked = _bare(question)
        self.prefix = _bare(wording.answer)

    def away(self, rung: str) -> bool:
        """Test whether the rung states the answer: as its own, behind a sign =, or in words."""
        return any(self._gives(rung, key) for key in self.keys)

    def _gives(self, rung: str, key: str) -> bool:
        flat = _bare(rung)
        if flat == self.prefix + key:
            return True
        formulas = list(_formulas(rung))
        if any(formula.endswith((f"={key}", rf"\approx{key}")) for formula in formulas):
            return True
        # A short number may stand anywhere by chance, and so may what the question names.
        if len(key) < 3 or key.lower() in self.asked.lower():
            return False
        return key in formulas or (len(key) > 5 and key.lower() in flat.lower())


def _formulas(text: str) -> Iterator[str]:
    for match in _PART.finditer(text):
        yield _bare(match[1])


def _bare(text: str) -> str:
    return _NEGLIGIBLE.sub("", text).rstrip(".")
