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
    misconception: str = ""
    answers: int = 0

    @property
    def typical(self) -> tuple[int, int, str]:
        """The version, seed and answer that came most often."""
        [(found, _)] = self.showings.most_common(1)
        return found

    def add(self, row: tallies.WrongAnswer) -> None:
        key = (row.version_id, row.seed, str(row.answer))
        self.learners.add(row.learner_id)
        self.showings[key] += row.n
        self.answer_of[key] = row.answer
        self.misconception = row.misconception or self.misconception
        self.answers += row.n


@dataclass(frozen=True, slots=True)
class _Version:
    """What is needed of an item version before anything is shown of it."""

    item_id: int
    slug: str
    has_numbers: bool


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
    shown = ordered[:most]
    content_selectors.read_bodies(version_ids={group.typical[0] for _, group in shown})
    return Mistakes(
        answers=tuple(_common(group, versions, known) for _, group in shown),
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
    return (version.item_id, row.version_id, row.seed, str(row.answer))


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
