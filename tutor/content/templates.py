"""Turn an item body and a seed into the question one learner sees."""

import random
from collections.abc import Iterable, Mapping
from typing import Any

from tutor.content import answers, exact, picture_text, template_text
from tutor.content.errors import PictureMissing, TemplateInvalid, ValueUndefined
from tutor.content.picture_text import PictureRef
from tutor.content.rendered import RenderedChoice, RenderedItem, choice_id

MAX_DRAWS = 1000
Body = Mapping[str, Any]


def instantiate(body: Body, *, seed: int) -> RenderedItem:
    """Return the item with parameters drawn from `seed`; the same seed gives the same item.

    A draw is repeated, at most `MAX_DRAWS` times, while a condition fails, a value is undefined,
    a picture for it is missing or two choices read the same.

    Raises:
        TemplateInvalid: the body has a mistake or no draw fits; the message names the item.
    """
    try:
        return _first_fitting(body, random.Random(seed))
    except TemplateInvalid as error:
        name = body.get("slug", "(no slug)")
        raise TemplateInvalid(f"Item {name}: {error.message}", item=name, seed=seed) from error


def _first_fitting(body: Body, rng: random.Random) -> RenderedItem:
    draws = MAX_DRAWS if body.get("parameters") else 1
    reason = ""
    for _ in range(draws):
        try:
            names = _draw(body, rng)
        except ValueUndefined as error:
            reason = error.message
            continue
        failed = _failed_condition(body, names)
        if failed:
            reason = f"the condition {failed!r} does not hold."
            continue
        try:
            choices = _choices(body, names)
            if len({" ".join(choice.text.split()) for choice in choices}) < len(choices):
                reason = "two choices read the same."
                continue
            return _render(body, names, choices, rng)
        except PictureMissing as error:
            reason = error.message
    raise TemplateInvalid(f"No parameters fit in {draws} draws; the last time {reason}")


def _draw(body: Body, rng: random.Random) -> dict[str, Any]:
    names: dict[str, Any] = {}
    for name, expression in _parameters(body):
        try:
            names[name] = exact.evaluate(str(expression), names, rng=rng)
        except TemplateInvalid as error:
            raise type(error)(f"parameter {name}: {error.message}") from error
    return names


def _parameters(body: Body) -> Iterable[tuple[str, object]]:
    """Return (name, expression) in the order of drawing.

    Stored bodies hold a list of pairs, because a JSON column may reorder the keys of an object.
    """
    parameters = body.get("parameters") or ()
    return parameters.items() if isinstance(parameters, Mapping) else parameters


def _failed_condition(body: Body, names: Mapping[str, Any]) -> str:
    for condition in body.get("conditions") or ():
        try:
            holds = exact.evaluate(str(condition), names)
        except ValueUndefined:
            holds = False
        if not holds:
            return str(condition)
    return ""


def _fill(body: Body, text: str, names: Mapping[str, Any]) -> str:
    # Imported HTML is not ours: brackets and dollar signs in it mean nothing.
    if body.get("markup") == "html":
        return text
    pictures = body.get("pictures") or {}
    return picture_text.resolve(
        template_text.fill(text, names),
        {path: PictureRef(*found) for path, found in pictures.items()},
    )


def _choices(body: Body, names: Mapping[str, Any]) -> tuple[RenderedChoice, ...]:
    slug = body.get("slug", "")
    return tuple(
        RenderedChoice(
            id=choice_id(slug=slug, index=number),
            text=_fill(body, str(choice["text"]), names),
            is_correct=bool(choice.get("correct", False)),
            misconception=choice.get("misconception"),
            feedback=_fill(body, choice.get("feedback") or "", names),
        )
        for number, choice in enumerate(body.get("choices") or ())
    )


def _render(
    body: Body,
    names: Mapping[str, Any],
    choices: tuple[RenderedChoice, ...],
    rng: random.Random,
) -> RenderedItem:
    kind = body["kind"]
    spec = answers.read_answer(kind, body.get("answer") or {}, names)
    return RenderedItem(
        kind=kind,
        stem=_fill(body, body["stem"], names),
        choices=choices if body.get("keep_order") else template_text.shuffled(choices, rng),
        answer=spec,
        wrong=answers.read_wrong(spec, body.get("wrong") or (), names),
        hints=tuple(_fill(body, hint, names) for hint in body.get("hints") or ()),
        solution=_fill(body, body.get("solution") or "", names),
        parameters={name: exact.format_value(value, mode="plain") for name, value in names.items()},
        markup=body.get("markup", "text"),
        steps=tuple(_step(body, step, names) for step in body.get("steps") or ()),
    )


def _step(body: Body, step: Mapping[str, Any], names: Mapping[str, Any]) -> RenderedItem:
    return RenderedItem(
        kind=step["kind"],
        stem=_fill(body, step["ask"], names),
        choices=(),
        answer=answers.read_answer(step["kind"], step.get("answer") or {}, names),
        wrong=(),
        hints=(),
        solution="",
        markup=body.get("markup", "text"),
    )
