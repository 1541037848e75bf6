"""Which wrong answers are common in a class, and which wrong ideas they stem from."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

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
    answers: int = 0

    def add(self, row: tallies.WrongAnswer) -> None:
        key = (row.version_id, row.seed, str(row.answer))
        self.learners.add(row.learner_id)
        self.showings[key] += row.n
        self.answer_of[key] = row.answer
        self.answers += row.n


def find_mistakes(scope: Scope, *, course: Course, most: int = MOST) -> Mistakes:
    """Return the mistakes of the scope.

    Answers to a question with numbers are the same one where they show the same misconception: its
    numbers differ from learner to learner. Without one they are the same if numbers and answer are.
    """
    rows = tallies.list_wrong_answers(scope)
    versions = _read_versions({row.version_id for row in rows})
    groups: dict[tuple[object, ...], _Group] = {}
    for row in rows:
        groups.setdefault(_key(row, versions[row.version_id]), _Group()).add(row)
    known = content_selectors.get_misconceptions(course_id=course.pk, revision=course.revision)
    ordered = sorted(groups.items(), key=lambda pair: (-len(pair[1].learners), -pair[1].answers))
    return Mistakes(
        answers=tuple(_common(key, group, versions, known) for key, group in ordered[:most]),
        ideas=tuple(_ideas(rows, known)),
        total=sum(row.n for row in rows),
    )


def _read_versions(ids: Collection[int]) -> dict[int, ItemVersion]:
    return ItemVersion.objects.filter(pk__in=ids).select_related("item").in_bulk()


def _key(row: tallies.WrongAnswer, version: ItemVersion) -> tuple[object, ...]:
    if row.misconception and version.body.get("parameters"):
        return (version.item_id, "idea", row.misconception)
    # Versions that differ in what is asked are different questions.
    return (version.item_id, version.pk, row.seed, str(row.answer))


def _common(
    key: tuple[object, ...],
    group: _Group,
    versions: dict[int, ItemVersion],
    known: dict[str, tuple[str, str]],
) -> Common:
    (version_id, seed, answer), _ = group.showings.most_common(1)[0]
    item = content_selectors.get_rendered_item(version_id=version_id, seed=seed)
    given = group.answer_of[version_id, seed, answer]
    slug = str(key[2]) if key[1] == "idea" else ""
    return Common(
        item=versions[version_id].item.slug,
        version_id=version_id,
        shown=item,
        given=grading.response_text(item, given),
        text=_plain(item, given),
        misconception=known.get(slug, (slug, ""))[0],
        learners=len(group.learners),
        answers=group.answers,
        variants=len(group.showings),
    )


def _plain(item: RenderedItem, given: dict[str, object]) -> str:
    """Return an answer as it was typed, or the texts that were chosen."""
    typed = given.get("text")
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
