"""Try every template: does it instantiate, and is its own key graded right."""

from collections.abc import Callable, Iterable

from tutor.content.errors import TemplateInvalid
from tutor.content.grading import UnreadableAnswer, grade, right_answer
from tutor.content.grading.answers_given import anticipated_answers
from tutor.content.item_body import item_body
from tutor.content.item_spec import ItemSpec
from tutor.content.rendered import RenderedItem
from tutor.content.templates import instantiate


def check_items(
    items: Iterable[ItemSpec],
    *,
    seeds: Iterable[int],
    progress: Callable[[], object] = lambda: None,
) -> list[str]:
    """Return the problems of all items; `progress` is called after each item."""
    tried = tuple(seeds)
    problems: list[str] = []
    for item in items:
        problems += check_item(item, seeds=tried)
        progress()
    return problems


def check_item(item: ItemSpec, *, seeds: Iterable[int]) -> list[str]:
    """Return the problems of one item, each kind of problem once, with the seed it came with."""
    body = item_body(item)
    where = f"{item.file}, item {item.slug}"
    for seed in seeds:
        try:
            rendered = instantiate(body, seed=seed)
        except TemplateInvalid as error:
            text = error.message.removeprefix(f"Item {item.slug}: ")
            return [f"{where}: with seed {seed}, {text}"]
        problems = [f"{where}: with seed {seed}, {text}" for text in _self_check(rendered)]
        if problems:
            return problems
    return []


def _self_check(item: RenderedItem) -> list[str]:
    """Grade the item's own key and its anticipated wrong answers."""
    problems: list[str] = []
    for number, step in enumerate(item.steps, start=1):
        problems += [f"step {number}: {text}" for text in _self_check(step)]
    try:
        result = grade(item, right_answer(item))
        if not result.is_correct:
            problems.append(f"its own key is not graded right: {result.feedback or item.answer}.")
        for slug, answer in anticipated_answers(item):
            result = grade(item, answer)
            if result.is_correct:
                problems.append(f"the wrong answer {answer} ({slug}) is graded right.")
    except (UnreadableAnswer, TemplateInvalid) as error:
        problems.append(f"its own key or a wrong answer cannot be read: {error.message}")
    return problems
