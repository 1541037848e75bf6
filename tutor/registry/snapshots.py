"""The answers that a network is trained on and judged by: pinned, so that they can be read again.

Light enough for any worker; what learns from them is in `learning`.
"""

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kt_models import api
from tutor.classes.models import Enrolment
from tutor.content import selectors as content_selectors
from tutor.content.models import Course
from tutor.registry import training
from tutor.responses import columns as response_columns
from tutor.responses import selectors as response_selectors

Ints = npt.NDArray[np.int64]

# Of the learners one fifth is kept aside to judge a network by, and to fit the pool's weights.
FOLDS = 5
NO_CLASS = "no class"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A course's log as it was at a moment.

    Attributes:
        log: the answers that count: neither pilots nor those to excluded item versions, which the
            tracer passes over.
        group: [L] index of each learner's class in `groups`.
        groups: names of the classes; learners of several are in the one they joined last.
        pinned: JSON values by which it can be read again: `newest_id`, `uncounted`; and what it
            is: `sha256`, `answers`, `learners`.
    """

    log: api.ResponseLog
    group: Ints
    groups: Sequence[str]
    pinned: dict[str, Any]


def take(*, course: Course, pinned: dict[str, Any] | None = None) -> Snapshot:
    """Return the course's log of now, or as it was when `pinned` was noted.

    An answer that was under way at that moment, or an item that has got other concepts since, makes
    a difference that the hash tells.
    """
    if pinned is None:
        pinned = {
            "newest_id": response_selectors.get_newest_id(course_id=course.pk),
            "uncounted": list(content_selectors.list_excluded_versions(course_id=course.pk)),
        }
    answers = response_columns.read_whole_log(course_id=course.pk, newest_id=pinned["newest_id"])
    counts = ~answers.is_pilot & ~np.isin(answers.version_id, pinned["uncounted"])
    log = training.log_of(course_id=course.pk, answers=answers.only(counts))
    group, groups = _classes(course, [int(key) for key in log.learner_keys])
    found = {
        "newest_id": pinned["newest_id"],
        "uncounted": list(pinned["uncounted"]),
        "sha256": log.sha256(),
        "answers": len(log),
        "learners": len(log.learner_keys),
    }
    return Snapshot(log=log, group=group, groups=groups, pinned=found)


def keep_classes(snapshot: Snapshot, *, folder: Path) -> Snapshot:
    """Return the snapshot with the classes that its first try found, as kept in the folder.

    By them learners are dealt out: one who changes class in between would make other folds, and all
    that was trained be thrown away. They lie beside the states that need them, and go with them;
    the network's provenance, which stays, names no learner.
    """
    path = folder / "classes.json"
    sha256 = snapshot.pinned["sha256"]
    try:
        kept = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        kept = {}
    if kept.get("sha256") == sha256:
        group = np.array(kept["group"], dtype=np.int64)
        return dataclasses.replace(snapshot, group=group, groups=kept["groups"])
    folder.mkdir(parents=True, exist_ok=True)
    told = {"sha256": sha256, "group": snapshot.group.tolist(), "groups": list(snapshot.groups)}
    aside = path.with_suffix(".new")
    aside.write_text(json.dumps(told))
    aside.rename(path)
    return snapshot


def _classes(course: Course, learners: list[int]) -> tuple[Ints, list[str]]:
    """Return each learner's class as an index, and the classes' names."""
    rows = Enrolment.objects.filter(classroom__course=course).order_by("pk")
    newest = dict(rows.values_list("learner", "classroom"))
    named = dict(rows.values_list("classroom", "classroom__name"))
    ids = sorted({newest[pk] for pk in learners if pk in newest})
    place = {pk: number for number, pk in enumerate(ids, start=1)}
    group = [place.get(newest.get(pk, 0), 0) for pk in learners]
    return np.array(group, dtype=np.int64), [NO_CLASS, *(named[pk] for pk in ids)]


def deal_out(snapshot: Snapshot, *, seed: int) -> list[Ints]:
    """Return the learners of each of `FOLDS` folds, ascending; the same for the same seed.

    Each class is dealt out over all of them, so that every fold can tell of every class.
    """
    rng = np.random.default_rng(seed)
    order = np.lexsort((rng.random(len(snapshot.group)), snapshot.group))
    first = int(rng.integers(FOLDS))
    return [np.sort(order[(first + fold) % FOLDS :: FOLDS]) for fold in range(FOLDS)]
