"""In which group each learner of a course is, where items are compared between groups. Light."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from django.db.models import Exists, OuterRef

from tutor.classes.models import Enrolment
from tutor.content.models import Course
from tutor.responses.models import Response


class By(StrEnum):
    """What learners are put into groups by."""

    # By the log's column where it names two groups, else by class where there are two.
    AUTO = "auto"
    # The column `group` of logs that were imported.
    LOG = "group"
    CLASS = "class"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Grouping:
    """Groups of a course's learners.

    Attributes:
        by: what they are groups by.
        groups: learner (id as text) -> name of the group; who is in none, or in several, is not
            there.
    """

    by: By
    groups: Mapping[str, str]


def find_groups(*, course: Course, by: By = By.AUTO) -> Grouping | None:
    """Return the groups that have learners with answers; None for less than two groups."""
    for kind, read in _READERS.items():
        if by in (By.AUTO, kind):
            groups = _in_one(read(course))
            if len(set(groups.values())) > 1:
                return Grouping(by=kind, groups=groups)
    return None


def _of_log(course: Course) -> Iterable[tuple[int, str]]:
    rows = Response.objects.filter(course=course, source__startswith="import:")
    told = rows.filter(answer__log__group__isnull=False)
    return told.order_by().values_list("learner", "answer__log__group").distinct()


def _of_classes(course: Course) -> Iterable[tuple[int, str]]:
    own = Response.objects.filter(learner=OuterRef("learner"), course=course)
    rows = Enrolment.objects.filter(Exists(own), classroom__course=course)
    # Two classes may have one name.
    told = rows.order_by("classroom").values_list("learner", "classroom__name", "classroom")
    names: dict[str, int] = {}
    return [
        (learner, name if names.setdefault(name, pk) == pk else f"{name} ({pk})")
        for learner, name, pk in told
    ]


def _in_one(told: Iterable[tuple[int, str]]) -> dict[str, str]:
    groups: dict[str, set[str]] = {}
    for learner, name in told:
        groups.setdefault(str(learner), set()).add(str(name))
    return {learner: own.pop() for learner, own in sorted(groups.items()) if len(own) == 1}


_READERS = {By.LOG: _of_log, By.CLASS: _of_classes}
