"""Which wrong answers are common in a class, and which wrong ideas they stem from."""

import json
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from tutor.content import grading
from tutor.content import selectors as content_selectors
from tutor.content.models import Course, ItemVersion
from tutor.content.rendered import RenderedItem
from tutor.responses import tallies
from tutor.responses.tallies import Scope

# What one learner answered once is no pattern; of a small class it may still be all there is.
MOST = 12


@dataclass(frozen=True, slots=True)
class Common:
    """A wrong answer to a question, and who gave it.

    Attributes:
        item: slug of the item.
        version_id: the newest version that it was given to.
        shown: the question as one of them had it, with its numbers.
        given: the answer, in the item's markup.
        text: the answer as it stands, for an export.
        misconception: name of the wrong idea, "" where the item names none.
        learners, answers: how many gave it, and how often.
        variants: of a question with numbers, how many different answers this stands for.
    """

    item: str
    version_id: int
    shown: RenderedItem
    given: str
    text: str
    misconception: str
    learners: int
    answers: int
    variants: int


@dataclass(frozen=True, slots=True)
class Idea:
    """A misconception of the course, with how many showed it and how often."""

    slug: str
    name: str
    feedback: str
    learners: int
    answers: int


@dataclass(frozen=True, slots=True)
class Mistakes:
    """Wrong first answers, the most common first, and the ideas behind them."""

    answers: tuple[Common, ...]
    ideas: tuple[Idea, ...]
    # Wrong first answers in all, those left out of `answers` too.
    total: int


@dataclass(slots=True)
class _Group:
    """Wrong answers that are the same one."""

    learners: set[int] = field(default_factory=set)
    showings: Counter[tuple[int, int, str]] = field(default_factory=Counter)
    answer_of: dict[tuple[int, int, str], dict[str, object]] = field(default_factory=dict)
    misconception: str = ""
    answers: int = 0

    @property
    def typical(self) -> tuple[int, int, str]:
        """The version, seed and answer that came most often."""
        [(found, _)] = self.showings.most_common(1)
        return found

    @property
    def is_typed(self) -> bool:
        """Whether somebody's own words are among them."""
        # An imported log may not say what was answered.
        given = self.answer_of.values()
        return any(isinstance(answer, dict) and "text" in answer for answer in given)

    def add(self, row: tallies.WrongAnswer, version: "_Version") -> None:
        key = _showing(row, version)
        self.learners.add(row.learner_id)
        self.showings[key] += row.n
        self.answer_of.setdefault(key, row.answer)
        self.misconception = row.misconception or self.misconception
        self.answers += row.n


@dataclass(frozen=True, slots=True)
class _Version:
    """What is needed of an item version before anything is shown of it."""

    item_id: int
    slug: str
    has_numbers: bool


def find_mistakes(
    scope: Scope, *, course: Course, most: int = MOST, with_typed: bool = True
) -> Mistakes:
    """Return the mistakes of the scope.

    Answers to a question with numbers are the same one where they show the same misconception: its
    numbers differ from learner to learner. Without one they are the same if numbers and answer are.
    Without `with_typed` those that somebody typed are counted but not told: a class that is
    projected shows nobody's words.
    """
    rows = tallies.list_wrong_answers(scope)
    versions = _read_versions({row.version_id for row in rows})
    groups: dict[tuple[object, ...], _Group] = {}
    for row in rows:
        version = versions[row.version_id]
        groups.setdefault(_key(row, version), _Group()).add(row, version)
    known = content_selectors.get_misconceptions(course_id=course.pk, revision=course.revision)
    told = [group for group in groups.values() if with_typed or not group.is_typed]
    shown = sorted(told, key=lambda group: _place_of(group, versions))[:most]
    content_selectors.read_bodies(version_ids={group.typical[0] for group in shown})
    return Mistakes(
        answers=tuple(_common(group, versions, known) for group in shown),
        ideas=tuple(_ideas(rows, known)),
        total=sum(row.n for row in rows),
    )


def _read_versions(ids: Collection[int]) -> dict[int, _Version]:
    rows = ItemVersion.objects.filter(pk__in=ids)
    columns = rows.values_list("pk", "item", "item__slug", "body__parameters")
    return {pk: _Version(item, slug, bool(numbers)) for pk, item, slug, numbers in columns}


def _key(row: tallies.WrongAnswer, version: _Version) -> tuple[object, ...]:
    if row.misconception and version.has_numbers:
        return (version.item_id, "idea", row.misconception)
    # Versions that differ in what is asked are different questions.
    return (version.item_id, *_showing(row, version))


def _showing(row: tallies.WrongAnswer, version: _Version) -> tuple[int, int, str]:
    """Return the version, what tells its showings apart, and the answer."""
    # Of a question without numbers the seed is but the order of its choices.
    return (row.version_id, row.seed if version.has_numbers else 0, _written(row.answer))


def _written(answer: dict[str, Any]) -> str:
    """Return an answer as a text that is the same for the same answer."""
    # Choices are kept in the order they were sent in, which says nothing.
    if isinstance(answer, dict) and isinstance(answer.get("choices"), list):
        answer = {**answer, "choices": sorted(answer["choices"], key=str)}
    return json.dumps(answer, sort_keys=True)


def _place_of(group: _Group, versions: dict[int, _Version]) -> tuple[int, int, str, str]:
    """Return what the groups are ordered by: those of most learners first, none by chance."""
    version_id, _, written = group.typical
    return (-len(group.learners), -group.answers, versions[version_id].slug, written)


def _common(
    group: _Group,
    versions: dict[int, _Version],
    known: dict[str, tuple[str, str]],
) -> Common:
    version_id, seed, _ = group.typical
    item = content_selectors.get_rendered_item(version_id=version_id, seed=seed)
    given = group.answer_of[group.typical]
    return Common(
        item=versions[version_id].slug,
        version_id=version_id,
        shown=item,
        given=grading.response_text(item, given),
        text=_plain(item, given),
        misconception=known.get(group.misconception, (group.misconception, ""))[0],
        learners=len(group.learners),
        answers=group.answers,
        variants=len(group.showings),
    )


def _plain(item: RenderedItem, given: dict[str, object]) -> str:
    """Return an answer as it was typed, or the texts that were chosen."""
    # An imported log may not say what was answered.
    typed = given.get("text") if isinstance(given, dict) else None
    return typed if isinstance(typed, str) else grading.response_text(item, given)


def _ideas(
    rows: Iterable[tallies.WrongAnswer], known: dict[str, tuple[str, str]]
) -> Iterable[Idea]:
    answers: Counter[str] = Counter()
    learners: dict[str, set[int]] = {}
    for row in rows:
        if row.misconception:
            answers[row.misconception] += row.n
            learners.setdefault(row.misconception, set()).add(row.learner_id)
    for slug in sorted(answers, key=lambda slug: (-len(learners[slug]), -answers[slug], slug)):
        name, feedback = known.get(slug, (slug, ""))
        yield Idea(slug, name, feedback, learners=len(learners[slug]), answers=answers[slug])
