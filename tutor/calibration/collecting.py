"""From the stored course to what a calibration takes: log, items, earlier runs. Reads only."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tutor.calibration import engine, selectors
from tutor.calibration.models import CalibrationRun, CrowdAnswer, DifficultyOverride
from tutor.content import selectors as content_selectors
from tutor.content.models import Course, ItemVersion
from tutor.content.version_table import read_version_table
from tutor.registry import training
from tutor.responses import columns as response_columns


@dataclass(frozen=True, slots=True)
class Collected:
    """A course's log as it is calibrated.

    Attributes:
        log: items are versions, by database id.
        row_ids: [R] database id of each answer of the log.
        random_ids: ids of the answers to items that were drawn at random.
        excluded: item versions whose answers are left out, because their item is excluded now.
        left_out: how many answers that were.
    """

    log: training.api.ResponseLog
    row_ids: engine.Ints
    random_ids: set[int]
    excluded: frozenset[int]
    left_out: int


def collect_log(*, course: Course) -> Collected:
    """Return the course's standing answers, tried-out items' among them, excluded items' not."""
    whole = response_columns.read_whole_log(course_id=course.pk)
    answers = training.not_excluded(course=course, answers=whole)
    return Collected(
        log=training.log_of(course_id=course.pk, answers=answers),
        row_ids=answers.id,
        random_ids=selectors.list_random_answers(course_id=course.pk),
        excluded=frozenset(content_selectors.list_excluded_versions(course_id=course.pk)),
        left_out=len(whole) - len(answers),
    )


def first_attempts(log: training.api.ResponseLog) -> engine.Ints:
    """Return the rows that are calibrated: each learner's first answer to each item, unassisted."""
    pair = log.learner * max(len(log.item_keys), 1) + log.item
    _, first = np.unique(pair, return_index=True)
    rows = np.sort(first)
    return rows[~log.assisted[rows] & np.isfinite(log.correct[rows])]


def describe_items(*, course: Course) -> engine.Beforehand:
    """Return what is known of every item version of the course before any answer."""
    table = read_version_table(course_id=course.pk)
    versions = ItemVersion.objects.filter(item__course=course).order_by("pk")
    rows = list(versions.values_list("pk", "author_difficulty", "body"))
    place = {pk: k for k, (pk, _, _) in enumerate(rows)}
    newest: dict[int, int] = {}
    parent = np.full(len(rows), -1, dtype=np.int64)
    # A later version has a later id, so a parent stands before its children.
    for pk, item in versions.values_list("pk", "item"):
        parent[place[pk]] = newest.get(item, -1)
        newest[item] = place[pk]
    texts = [
        {
            "stem": str(body.get("stem", "")),
            "options": tuple(str(choice.get("text", "")) for choice in body.get("choices", ())),
            "hints": len(body.get("hints", ())),
            "solution": str(body.get("solution", "")),
        }
        for _, _, body in rows
    ]
    main = table.concepts[:, 0] if rows else np.empty(0, dtype=np.int64)
    _, concept = np.unique(main, return_inverse=True)
    return engine.Beforehand(
        items=tuple(str(pk) for pk, _, _ in rows),
        author=np.array([difficulty for _, difficulty, _ in rows], dtype=np.float64),
        concept=concept.reshape(-1),
        text=engine.describe_texts(texts),
        crowd=_crowd(course, [pk for pk, _, _ in rows]),
        parent=parent,
    )


def _crowd(course: Course, versions: list[int]) -> engine.Floats:
    """Return what the crowd found hard, [N]; nan without answers, or without a crowd."""
    place = {pk: k for k, pk in enumerate(versions)}
    answers = CrowdAnswer.objects.filter(version__item__course=course)
    told = list(answers.values_list("respondent", "version", "is_correct"))
    row = {name: k for k, name in enumerate(sorted({name for name, _, _ in told}))}
    matrix = np.full((len(row), len(versions)), math.nan)
    for name, version, is_correct in told:
        matrix[row[name], place[version]] = float(is_correct)
    return engine.crowd_difficulty(matrix)


def chances_of_guessing(*, course: Course) -> dict[str, float]:
    """Return 1 / options of every item version with a single choice."""
    versions = ItemVersion.objects.filter(item__course=course, kind=ItemVersion.Kind.SINGLE_CHOICE)
    options = {str(pk): len(body["choices"]) for pk, body in versions.values_list("pk", "body")}
    return {pk: 1.0 / count for pk, count in options.items() if count > 1}


def decided_of(by_hand: Mapping[int, DifficultyOverride]) -> dict[str, engine.Decided]:
    """Return what persons have decided, by item version, as the calibration takes it."""
    return {
        str(version): engine.Decided(
            difficulty=float(row.difficulty or 0.0),
            se=float(row.se or 0.0),
            is_held=row.rule == DifficultyOverride.Rule.HELD,
        )
        for version, row in by_hand.items()
    }


def known_of(run: CalibrationRun | None) -> engine.Known | None:
    """Return the items of an earlier run; None without one, or if it knew none."""
    if run is None:
        return None
    rows = list(
        run.items.order_by("version").values_list(
            *("version", "difficulty", "difficulty_se", "discrimination", "guessing", "flags")
        )
    )
    if not rows:
        return None
    names, difficulty, se, slope, guessing, flags = zip(*rows, strict=True)
    return engine.Known(
        items=tuple(map(str, names)),
        difficulty=_column(difficulty),
        se=_column(se),
        discrimination=_column(slope),
        guessing=_column(guessing),
        may_anchor=np.array([engine.MAY_ANCHOR.issuperset(own) for own in flags], dtype=bool),
        model=engine.ItemModel(run.settings["model"]),
        population=engine.Population(run.population["mean"], run.population["sd"]),
    )


def _column(values: tuple[float | None, ...]) -> engine.Floats:
    return np.array([math.nan if x is None else x for x in values], dtype=np.float64)


def count_by_item(rows: engine.Ints, log: training.api.ResponseLog) -> Mapping[str, int]:
    """Return name -> how many of these rows are answers to the item."""
    counts = np.bincount(log.item[rows], minlength=len(log.item_keys)).tolist()
    return dict(zip(log.item_keys, counts, strict=True))
