"""The door to `curriculum.outlook`: histories from the log, forecasts as rows. Numpy only."""

import hashlib
import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from curriculum.outlook import associations, explaining, peers
from curriculum.outlook.associations import Association, rest_of
from curriculum.outlook.features import NAMES, Standing
from curriculum.outlook.following import Followed, follow, trace
from curriculum.outlook.hazard import Hazard
from curriculum.outlook.histories import DAY_S, Answer, Goal, Look, Tracing
from tutor.content import selectors as content_selectors
from tutor.responses import columns
from tutor.tracing.bands import MASTERED_EVIDENCE, MASTERED_LOWER_PROB
from tutor.tracing.engine import CourseTracer

# Drivers kept of a forecast.
MOST_DRIVERS = 3


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """What forecasts are made with; see `curriculum.outlook.judging.Judged`."""

    hazard: Hazard
    threshold: float
    ranges: Mapping[str, tuple[float, float]]
    associations: Mapping[str, Association]

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> "Fitted":
        """Return what a version's body holds.

        Raises:
            UnreadableOutlook: it is of other features or periods; fit it again.
        """
        return cls(
            hazard=Hazard.from_dict(body["hazard"]),
            threshold=float(body["threshold"]),
            ranges={name: (low, high) for name, (low, high) in body["ranges"].items()},
            associations=associations.from_dict(body["associations"]),
        )


@dataclass(frozen=True, slots=True)
class Told:
    """A forecast of one look, as `models.Forecast` keeps it; days are from the look."""

    chance: float | None
    low: float | None
    high: float | None
    median_days: float | None
    is_at_risk: bool
    facts: dict[str, Any]
    drivers: list[list[Any]]
    change: dict[str, Any] | None


def tracing_of(tracer: CourseTracer) -> Tracing:
    """Return by what mastery is told: the tracer's filter and the band "mastered"."""
    return Tracing(
        tracer.parameters,
        tracer.reference_of_concept,
        lower_prob=MASTERED_LOWER_PROB,
        evidence=MASTERED_EVIDENCE,
    )


def read_histories(*, tracer: CourseTracer, learner_ids: Sequence[int]) -> dict[int, list[Answer]]:
    """Return learner id -> standing answers in fold order, for those who have any; one query."""
    rows = columns.read_columns(course_id=tracer.bank.course_id, learner_ids=learner_ids)
    if not len(rows):
        return {}
    versions = rows.version_id.tolist()
    variances = [tracer.var_of_version.get(pk, 0.0) for pk in versions]
    counted = np.where(rows.is_pilot, np.inf, variances).tolist()
    listed = zip(
        rows.answered_at.tolist(),
        versions,
        rows.credit.tolist(),
        rows.assisted.tolist(),
        counted,
        strict=True,
    )
    answers = [
        Answer(
            at=at,
            concept_ids=content_selectors.get_concepts_of_version(version_id=version),
            correct=credit,
            assisted=assisted,
            offset=tracer.offset_of_version[version],
            offset_var=variance,
        )
        for at, version, credit, assisted, variance in listed
    ]
    bounds = rows.starts.tolist()
    return {
        int(rows.learner_id[first]): answers[first:last]
        for first, last in itertools.pairwise(bounds)
    }


def practicable(tracer: CourseTracer) -> frozenset[int]:
    """Return the ids of the concepts that some item can be practised on."""
    met = tracer.bank.concepts[tracer.bank.operational]
    return frozenset(tracer.bank.concept_ids[np.unique(met[met >= 0])].tolist())


def goal_of(
    tracer: CourseTracer, concept_ids: Sequence[int], *, opens_at: float, due_at: float
) -> Goal | None:
    """Return an assignment as a goal; None without anything that can be practised.

    Args:
        tracer: of the course.
        concept_ids: that it asks for; none means the whole course.
        opens_at, due_at: epoch seconds.
    """
    there = practicable(tracer)
    asked = [pk for pk in (concept_ids or tracer.bank.concept_ids.tolist()) if pk in there]
    return Goal.all_of(asked, opens_at=opens_at, due_at=due_at) if asked else None


def look_now(
    answers: Sequence[Answer], tracing: Tracing, goals: Sequence[Goal], *, at: float
) -> Followed:
    """Return what is known of a learner and each goal at a moment, epoch seconds."""
    past = [answer for answer in answers if answer.at < at]
    return follow(trace(past, tracing, [at]), tracing, [Look(goal, at) for goal in goals])


def tell(standings: Sequence[Standing], features: Any, fitted: Fitted | None) -> list[Told]:
    """Return the forecasts of n looks with something left, [n, F] features, in one pass."""
    if not standings:
        return []
    if fitted is None:
        return [_by_rule_of_thumb(one) for one in standings]
    days = np.array([one.look.days_left for one in standings])
    hazard = fitted.hazard
    chances = hazard.chances(features, days)
    low, high = hazard.intervals(features, days)
    medians = hazard.medians(features)
    later = hazard.quantiles(features, 1.0 - fitted.threshold)
    found = []
    for row, standing in enumerate(standings):
        is_at_risk = bool(1.0 - chances[row] >= fitted.threshold)
        parts = explaining.drivers(hazard, features[row])[:MOST_DRIVERS]
        found.append(
            Told(
                chance=float(chances[row]),
                low=float(min(low[row], chances[row])),
                high=float(max(high[row], chances[row])),
                median_days=float(medians[row]) if np.isfinite(medians[row]) else None,
                is_at_risk=is_at_risk,
                facts=facts_of(standing),
                drivers=[[one.name, round(one.effect, 4)] for one in parts],
                change=_change(fitted, features[row], float(days[row]), float(later[row]))
                if is_at_risk
                else None,
            )
        )
    return found


def name_goal(concept_ids: Iterable[int]) -> str:
    """Return a short name of a set of concepts: another one where the set is another."""
    listed = ",".join(str(pk) for pk in sorted(concept_ids))
    return hashlib.sha256(listed.encode()).hexdigest()[:16]


def facts_of(standing: Standing) -> dict[str, Any]:
    """Return what a person is told a forecast was made from."""
    recent = standing.before[-20:]
    right = sum(one.correct for one in recent if not one.assisted)
    on_goal = sum(bool(set(standing.left) & set(one.concept_ids)) for one in recent)
    since = standing.look.at - 14.0 * DAY_S
    return {
        "left": len(standing.left),
        "wanted": standing.look.goal.wanted,
        "goal": name_goal(standing.look.goal.concept_ids),
        "untouched": sum(n == 0 for n in standing.evidence),
        "days_left": round(standing.look.days_left, 2),
        "days_per_week": round(standing.days_per_week, 1),
        "answers_per_day": round(standing.answers_per_day, 1),
        "idle_days": round(standing.idle_days, 1),
        "recent": len(recent),
        "right": round(right, 1),
        "helped": sum(one.assisted for one in recent),
        "on_goal": on_goal,
        "lately_mastered": sum(at >= since for at in standing.reached_before),
        "pace_days": round(peers.days_at_this_pace(standing), 1),
        "behind": round(peers.behind_schedule(standing), 3),
    }


def _by_rule_of_thumb(standing: Standing) -> Told:
    """Return what a teacher would reckon: behind, and too slow at the pace since the opening."""
    days = peers.days_at_this_pace(standing)
    behind = peers.behind_schedule(standing) > 0.0
    return Told(
        chance=None,
        low=None,
        high=None,
        median_days=days if days < peers.FAR else None,
        is_at_risk=behind and days > standing.look.days_left,
        facts=facts_of(standing),
        drivers=[],
        change=None,
    )


def _change(fitted: Fitted, features: Any, days: float, later: float) -> dict[str, Any] | None:
    """Return the smallest change that learners seen bear out, else how much later the date is."""
    # Just above the working point, so that rounding does not leave it on it.
    line = min(1.0 - fitted.threshold + 1e-9, 1.0)
    borne_out: dict[explaining.Step, dict[str, Any] | None] = {}
    for found in explaining.list_changes(
        fitted.hazard, features, days=days, line=line, ranges=fitted.ranges
    ):
        for one in found.steps:
            if one not in borne_out:
                borne_out[one] = _step(fitted, features, one)
        steps = [borne_out[one] for one in found.steps]
        if all(steps):
            return {"steps": steps, "chance": round(found.chance, 4)}
    if np.isfinite(later) and later > days:
        return {"later_days": int(np.ceil(later - days))}
    return None


def _step(fitted: Fitted, features: Any, one: explaining.Step) -> dict[str, Any] | None:
    """Return a step with the shares that reached their goals among like learners, and how many.

    None unless both are known and those who did as it says reached theirs more often.
    """
    habit = next(own for own in explaining.HABITS if own.feature == one.feature)
    rest = float(rest_of(fitted.hazard, features[None, :], one.feature)[0])
    told = fitted.associations.get(one.feature)
    if told is None:
        return None
    now = told.find(rest, float(features[NAMES.index(one.feature)]))
    then = told.find(rest, habit.to_feature(one.then))
    if now is None or then is None or then.share <= now.share:
        return None
    return {
        "feature": one.feature,
        "now": round(one.now, 2),
        "then": round(one.then, 2),
        "like": [[now.share, now.learners], [then.share, then.learners]],
    }
