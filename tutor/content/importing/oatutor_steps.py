"""From a problem of OATutor to items: each step becomes one that can be practised alone."""

import dataclasses
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tutor.content import course_check, markup
from tutor.content.importing import names
from tutor.content.importing.choices import read_choices
from tutor.content.importing.copying import with_form
from tutor.content.importing.hints import Ladder, as_shown, read_ladder
from tutor.content.importing.keys import Key, read_formula
from tutor.content.importing.latex import WORDS
from tutor.content.importing.listed import Listed, Unfit
from tutor.content.importing.oatutor_pictures import has_sign
from tutor.content.importing.oatutor_records import RawProblem, RawStep
from tutor.content.importing.rewriting import check_rewritten
from tutor.content.importing.short_answers import read_string, read_words
from tutor.content.importing.texts import PICTURE, VARIABLES, Converted, to_markup
from tutor.content.importing.wording import Wording
from tutor.content.item_spec import ItemSpec

NO_QUESTION = "step without a question of its own"
NO_PICTURE = "question about a picture that is not in the data"
EARLIER = "step that follows one which cannot be shown"
UNKNOWN_TYPE = "kind of input we do not have"
NOT_CHECKED = "key that our own grader does not judge right"

# Earlier steps shown before a later one, the latest ones.
MOST_EARLIER = 5
_SEES = re.compile(
    r"\b(?:graph|figure|diagram|picture|image|plot|histogram|chart|screenshot)s?\b[^.?!$]{0,40}"
    r"\b(?:shown|below|above|pictured|displayed|provided)\b"
    r"|\b(?:shown|pictured|given|following|accompanying|above|below)\s+"
    r"(?:graph|figure|diagram|picture|image|plot|histogram|chart|screenshot)s?\b"
    r"|\bsee (?:the )?(?:image|figure|graph|picture)|\bin figure\b|\bthe graph of the (?:parabola "
    r"|line )?(?:is )?shown",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]{2,}")


@dataclass(frozen=True, slots=True)
class StepResult:
    """A step's item without concepts, or None; and what is to be listed about the step."""

    step: str
    item: ItemSpec | None
    listed: tuple[Listed, ...] = ()


def convert_problem(problem: RawProblem, *, wording: Wording) -> Iterator[StepResult]:
    """Yield the result of each step."""
    for number in range(len(problem.steps)):
        step = problem.steps[number]
        try:
            item, ladder = _convert(problem, number, wording)
        except Unfit as unfit:
            row = Listed(problem.id, step.id, unfit.reason, unfit.detail)
            yield StepResult(step.id, None, (row,))
            continue
        notes = tuple(Listed(problem.id, step.id, *note) for note in ladder.notes)
        yield StepResult(step.id, item, notes)


def _convert(problem: RawProblem, number: int, wording: Wording) -> tuple[ItemSpec, Ladder]:
    step = problem.steps[number]
    if problem.variables or step.variables:
        raise Unfit(VARIABLES, ", ".join({**problem.variables, **step.variables}))
    stem = _stem(problem, number, wording)
    texts = (problem.title, problem.body, step.title, step.body)
    key = _key(step, question=" ".join(texts))
    check_rewritten(key, question=texts, step=(step.title, step.body))
    key = with_form(key, question=texts)
    ladder = read_ladder(
        step.hints, answers=_answers_shown(step, key), question=stem, wording=wording
    )
    item = ItemSpec(
        slug=names.item_slug(problem.id, step.id),
        concepts=(),
        kind=key.kind,
        stem=stem,
        choices=key.choices,
        keep_order=key.keep_order,
        answer=key.answer,
        hints=ladder.hints,
        solution=ladder.solution,
        file=problem.id,
    )
    _check(item)
    return item, ladder


def _key(step: RawStep, *, question: str) -> Key:
    if step.problem_type == "MultipleChoice":
        return read_choices(step.answers, step.choices)
    if step.problem_type != "TextBox":
        raise Unfit(UNKNOWN_TYPE, step.problem_type or "none is named")
    if step.answer_type == "string":
        return read_string(step.answers, question=question)
    if step.answer_type != "arithmetic":
        raise Unfit(UNKNOWN_TYPE, f"TextBox, {step.answer_type or 'no answer type'}")
    try:
        return read_formula(step.answers)
    except Unfit as unfit:
        # "No solution", where a formula is usual.
        if unfit.reason == WORDS and re.fullmatch(r"[A-Za-z][a-z]+(?: [a-z]+)*", step.answers[0]):
            return read_words(step.answers[0])
        raise


def _answers_shown(step: RawStep, key: Key) -> list[str]:
    if key.choices:
        return [str(choice["text"]) for choice in key.choices if choice["correct"]]
    shown = [as_shown(text) for text in (step.latex, *step.answers) if text]
    return list(dict.fromkeys(text for text in shown if text))


def _stem(problem: RawProblem, number: int, wording: Wording) -> str:
    step = problem.steps[number]
    title, body = _without_picture(problem.title), _without_picture(problem.body)
    asked = [_without_picture(step.title), _without_picture(step.body)]
    if not any(asked) and (len(problem.steps) > 1 or not (title or body)):
        raise Unfit(NO_QUESTION)
    whole = "\n".join(text.text for text in (title, body, *asked))
    if not has_sign(whole) and (match := _SEES.search(whole)) is not None:
        raise Unfit(NO_PICTURE, match[0])
    heading = " ".join(title.text.split())
    paragraphs = [f"**{heading}**" if heading and heading != asked[0].text else "", body.text]
    if len(problem.steps) > 1:
        paragraphs.append(_place(problem, number, wording))
    paragraphs += [text.text for text in asked]
    return "\n\n".join(dict.fromkeys(paragraph for paragraph in paragraphs if paragraph))


def _without_picture(text: str) -> "_Text":
    converted = to_markup(text)
    if converted.has_picture:
        raise Unfit(PICTURE, " ".join(text.split())[:120])
    return _Text(converted)


class _Text:
    """A converted text that is false when there is nothing in it."""

    def __init__(self, converted: Converted) -> None:
        self.text = converted.text

    def __bool__(self) -> bool:
        return bool(self.text)


def _place(problem: RawProblem, number: int, wording: Wording) -> str:
    """Return which part this is and what the earlier ones have found."""
    lines = [wording.part.format(number=number + 1, count=len(problem.steps))]
    earlier = [
        _found(problem.steps[before], wording)
        for before in range(number)
        if _leads_to(problem.steps[before], problem.steps[number])
    ][-MOST_EARLIER:]
    if earlier:
        lines[0] += f" {wording.found}"
        lines += [f"– {text}" for text in earlier]
    return "\n".join(lines)


def _leads_to(earlier: RawStep, later: RawStep) -> bool:
    """Test whether a later step may need what an earlier one found.

    Two steps that ask the same of other numbers stand side by side, as exercises of one kind.
    One with the same answer would give it away.
    """
    same_words = _words(earlier) == _words(later)
    return not same_words and set(earlier.answers) != set(later.answers)


def _words(step: RawStep) -> tuple[str, ...]:
    text = f"{step.title} {step.body}"
    outside = " ".join(text.split("$$")[::2])
    return tuple(_WORD.findall(outside.lower()))


def _found(step: RawStep, wording: Wording) -> str:
    try:
        asked = [to_markup(text) for text in (step.title, step.body)]
    except Unfit as unfit:
        raise Unfit(EARLIER, f"{step.id}: {unfit}") from unfit
    answer = as_shown(step.latex or next(iter(step.answers), ""))
    if answer is None or any(text.has_picture for text in asked):
        raise Unfit(EARLIER, step.id)
    question = " ".join(" ".join(text.text for text in asked).split())
    return f"{question} **{wording.answer}** {answer}"


def _check(item: ItemSpec) -> None:
    """Try the item as a learner would meet it.

    Raises:
        Unfit: its key is not graded right, a wrong choice is not graded wrong, or a formula
            cannot be shown.
    """
    problems = course_check.check_item(item, seeds=(0,))
    if problems:
        raise Unfit(NOT_CHECKED, problems[0].partition("with seed 0, ")[2] or problems[0])
    for text in (item.stem, item.solution):
        markup.render(text)


def with_concepts(item: ItemSpec, concepts: Sequence[str]) -> ItemSpec:
    """Return the item as part of a course that has these concepts."""
    return dataclasses.replace(item, concepts=tuple(concepts))
