"""From a form to an answer."""

import datetime as dt
import uuid

from django.http import QueryDict
from django.utils.translation import gettext as _

from tutor.common.errors import TutorError
from tutor.content.grading import UnreadableAnswer
from tutor.content.rendered import ExpressionAnswer, NumberAnswer, RenderedItem
from tutor.practice.usecases import Submission


class FormBroken(TutorError):
    """The form lacks what the page put into it."""

    code = "student.form-broken"


def read_uuid(text: str) -> uuid.UUID:
    """Return the id in a form field.

    Raises:
        FormBroken: it is no id.
    """
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise FormBroken(_("This page is broken; open it again."), value=text[:80]) from error


def read_level(text: str) -> int:
    """Return the rung that a hint form asks for, 0 if it is no number."""
    return _whole(text) or 0


def _whole(text: str) -> int | None:
    """Return a whole number of a form, None if it is none or absurdly long."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else None


# Younger than this it was not held back: the way here took it.
_AT_ONCE = dt.timedelta(seconds=5)
# Older than any answer that is still taken, and a span that every date can bear.
_OLDEST_MS = 10 * 365 * 24 * 60 * 60 * 1000


def read_submission(form: QueryDict, presentation: uuid.UUID, *, at: dt.datetime) -> Submission:
    """Return the submission in a practice form that arrived at `at`.

    A page that held the answer back says for how long: its clock may be wrong, a span is not.

    Raises:
        FormBroken: the client key is missing.
        UnreadableAnswer: nothing was chosen or written.
    """
    age = dt.timedelta(milliseconds=min(_whole(form.get("age_ms", "")) or 0, _OLDEST_MS))
    return Submission(
        presentation=presentation,
        client_key=read_uuid(form.get("client_key", "")),
        answer=_answer(form),
        answered_at=None if age < _AT_ONCE else at - age,
        elapsed_ms=_whole(form.get("elapsed_ms", "")),
    )


def _answer(form: QueryDict) -> dict[str, object]:
    kind = form.get("kind")
    if kind == "multiple_choice":
        return {"choices": form.getlist("choice")}
    if kind == "single_choice":
        if not form.get("choice"):
            raise UnreadableAnswer(_("Choose one of the answers."))
        return {"choice": form["choice"]}
    if kind == "self_marked":
        if form.get("right") not in {"yes", "no"}:
            raise UnreadableAnswer(_("Say whether you got it right."))
        return {"right": form["right"] == "yes"}
    return {"text": form.get("text", "")}


def extra_keys(item: RenderedItem) -> list[tuple[str, str]]:
    """Return (what is shown, what is typed) for signs that a phone's keyboard hides."""
    key = item.answer
    if isinstance(key, ExpressionAnswer):
        letters = [(letter, letter) for letter in key.variables]
        signs = [("x²", "^2"), ("xⁿ", "^"), ("√", "sqrt("), ("/", "/"), ("(", "("), (")", ")")]
        return [*letters, *signs, ("−", "-")]
    if isinstance(key, NumberAnswer):
        return [("−", "-"), ("/", "/"), *([(";", "; ")] if key.is_set else [])]
    return []


def keypad(item: RenderedItem) -> str:
    """Return the `inputmode` for a phone beside the keys of `extra_keys`, "" for the usual one.

    A keypad of digits lacks units, the per cent sign and what stands between several numbers. The
    item's form says whether it needs them; its right value must not, or the keypad would tell.
    """
    key = item.answer
    is_plain = isinstance(key, NumberAnswer) and not (
        key.is_set or key.unit_required or key.form == "percent"
    )
    return "decimal" if is_plain else ""
