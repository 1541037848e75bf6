"""Every item of the demo course against a key that was found by another route.

`keys_part*.py` hold `KEYS`: item slug -> function of the drawn parameters -> the right answer.
A function of two arguments gets the rendered stem too, one of three also the texts of the
choices. The answer is a number, several numbers, an expression as text or in SymPy, or a text;
for choice items the text of the right choice, a collection of such texts, or a function that
is true of exactly the right choices.

`FORM_MATTERS` (optional) names choice items in which a wrong choice may have the value of the
right one, because the question is how to write it.
"""

import importlib
import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils import translation

import tutor.content
from tests.tutor.content.demo_course import answering, reading
from tutor.content.course_format import read_structure
from tutor.content.grading import anticipated_answers, grade
from tutor.content.grading.answers_given import shown_key
from tutor.content.item_body import item_body
from tutor.content.item_spec import ItemSpec
from tutor.content.rendered import (
    ExpressionAnswer,
    NumberAnswer,
    RenderedItem,
    TextAnswer,
)
from tutor.content.templates import instantiate

SEEDS = range(40)
EXPRESSION_SEEDS = range(15)  # comparing expressions takes longer
FOLDER = Path(tutor.content.__file__).parent / "demo_course"
COURSE, PROBLEMS = read_structure(FOLDER)
ITEMS = COURSE.items if COURSE is not None else ()
KEYS: dict[str, Callable[..., Any]] = {}
FORM_MATTERS: set[str] = set()
for _file in sorted(Path(__file__).parent.glob("keys_part*.py")):
    _keys = importlib.import_module(f"{__package__}.{_file.stem}")
    KEYS |= _keys.KEYS
    FORM_MATTERS |= set(getattr(_keys, "FORM_MATTERS", ()))

_CHOICE_KINDS = ("single_choice", "multiple_choice")
# A sign after a sign, or a factor 1 before a letter, is a slip in a template.
_UGLY = re.compile(r"[+-] ?[+-]\s?\d|(?<![\d.,}])1[xyzt]\b")


def test_the_course_has_no_structural_problem() -> None:
    assert COURSE is not None
    assert PROBLEMS == []


def test_every_concept_has_at_least_six_items() -> None:
    assert COURSE is not None
    counts = {
        concept.slug: sum(concept.slug == item.concepts[0] for item in ITEMS)
        for concept in COURSE.concepts
    }
    assert {slug: count for slug, count in counts.items() if count < 6} == {}


def test_every_key_belongs_to_an_item() -> None:
    assert sorted(set(KEYS) - {item.slug for item in ITEMS}) == []


@pytest.mark.parametrize("spec", ITEMS, ids=lambda spec: spec.slug)
def test_item(spec: ItemSpec) -> None:
    """The key, the anticipated mistakes and the texts of one item hold for all seeds."""
    if spec.slug not in KEYS and spec.kind not in ("text", "self_marked"):
        pytest.fail("The item has no independent key.")
    body = item_body(spec)
    seen: set[str] = set()
    for seed in EXPRESSION_SEEDS if spec.kind == "expression" else SEEDS:
        item = instantiate(body, seed=seed)
        drawn = repr(sorted(item.parameters.items()))
        if drawn in seen:
            continue
        seen.add(drawn)
        where = f"seed {seed}: {item.stem}"
        _check_texts(item, where)
        if item.kind in _CHOICE_KINDS:
            _check_choices(spec.slug, item, where)
        else:
            _check_typed_key(spec.slug, item, where)
            _check_mistakes(item, where)


def _expected(slug: str, item: RenderedItem) -> Any:
    key = KEYS[slug]
    parameters = answering.parameters_of(item)
    given = (parameters, item.stem, tuple(choice.text for choice in item.choices))
    return key(*given[: len(inspect.signature(key).parameters)])


def _check_texts(item: RenderedItem, where: str) -> None:
    choices = [text for choice in item.choices for text in (choice.text, choice.feedback)]
    for text in (item.stem, item.solution, *item.hints, *choices):
        assert not re.search(r"\[\[|\]\]", text), f"{where}: unreplaced hole in {text!r}"
        for formula in reading.maths(text):
            assert not _UGLY.search(formula), f"{where}: {formula!r} is not written well"
    assert len(item.hints) >= 2, where
    assert item.solution.strip(), where


def _check_typed_key(slug: str, item: RenderedItem, where: str) -> None:
    spec = item.answer
    if isinstance(spec, TextAnswer):
        assert all(text.strip() for text in spec.accepted), where
    for language, _ in settings.LANGUAGES:
        with translation.override(language):
            shown = shown_key(item)
        assert grade(item, {"text": shown}).is_correct, f"{where}: {shown!r} is shown, and wrong"
    if slug not in KEYS:
        return
    expected = _expected(slug, item)
    if isinstance(spec, NumberAnswer):
        assert answering.number_agrees(spec, expected), f"{where}: {spec.values} != {expected}"
        typed = answering.typed_numbers(spec, expected)
    elif isinstance(spec, ExpressionAnswer):
        assert answering.expression_agrees(spec, expected), f"{where}: {spec} != {expected}"
        typed = [answering.typed_expression(expected)]
    else:
        typed = [str(expected)]
    for text in typed:
        result = grade(item, {"text": text})
        assert result.is_correct, f"{where}: {text!r} is not accepted: {result}"


def _check_mistakes(item: RenderedItem, where: str) -> None:
    for misconception, answer in anticipated_answers(item):
        result = grade(item, answer)
        assert not result.is_correct, f"{where}: {answer} is graded right"
        assert result.misconception == misconception, f"{where}: {answer} -> {result}"


def _check_choices(slug: str, item: RenderedItem, where: str) -> None:
    right = {choice.text for choice in item.choices if choice.is_correct}
    expected = _expected(slug, item)
    if callable(expected):
        expected = {choice.text for choice in item.choices if expected(choice.text)}
    elif isinstance(expected, str):
        expected = {expected}
    assert set(expected) == right, f"{where}: the independent key says {expected}"
    _check_marking(item, where)
    if slug not in FORM_MATTERS:
        values = {reading.choice_value(text) for text in right} - {None}
        for choice in item.choices:
            equal = not choice.is_correct and reading.choice_value(choice.text) in values
            assert not equal, f"{where}: {choice.text} equals a right choice"


def _check_marking(item: RenderedItem, where: str) -> None:
    right = [choice.id for choice in item.choices if choice.is_correct]
    if item.kind == "single_choice":
        assert len(right) == 1, where
        assert grade(item, {"choice": right[0]}).is_correct, where
    else:
        assert grade(item, {"choices": right}).is_correct, where
    for choice in item.choices:
        if choice.is_correct:
            continue
        several = item.kind == "multiple_choice"
        answer = {"choices": [*right, choice.id]} if several else {"choice": choice.id}
        result = grade(item, answer)
        assert not result.is_correct, f"{where}: {choice.text} is graded right"
        assert result.misconception == choice.misconception, f"{where}: {choice.text}"
