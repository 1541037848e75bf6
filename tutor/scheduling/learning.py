"""A course's policies learn at night: minutes of items, coefficients of arms; gates before use.

For workers and commands. Coefficients are learnt from some of the learners and judged on the
others, by what the logged decisions say of them; what passes every gate is promoted as it was
judged, what does not is kept with the reasons.
"""

import datetime as dt
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from curriculum.errors import CurriculumError
from curriculum.evaluation import DecisionLog, Limits, evaluate, read_decisions
from curriculum.fitting.linear import fit_linear
from curriculum.scheduler.features import PRIOR
from tutor.content.models import Course
from tutor.responses.models import Response
from tutor.scheduling import conduct as conducts
from tutor.scheduling import decision_log, engine, steering
from tutor.scheduling.models import PolicyVersion

HELD_OUT = 0.4
MIN_LEARNERS = 60
# Minutes are medians of at least so many answers, drawn to the course's by as many.
MIN_TIMED, SHRUNK_BY = 200, 5.0
LATEST_TIMED = 100_000
LONGEST_MINUTES = 15.0
# A version for new minutes alone comes only where they differ by so much somewhere.
MINUTES_MOVED = 0.2


@dataclass(frozen=True, slots=True)
class Gate:
    """A condition that a version has to meet, and what was found."""

    name: str
    passed: bool
    found: str

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {"name": self.name, "passed": self.passed, "found": self.found}


@dataclass(frozen=True, slots=True)
class Learnt:
    """What came of a night for one policy; `version` is None where nothing new was stored."""

    policy: str
    version: PolicyVersion | None
    promoted: bool
    gates: tuple[Gate, ...]


def learn_course(
    *,
    course: Course,
    at: dt.datetime,
    seed: int = 0,
    progress: Callable[[int], object] = lambda _: None,
) -> list[Learnt]:
    """Learn from a course's log and promote what passes its gates.

    Args:
        course: whose log.
        at: now.
        seed: of who is held out, and of the bootstrap.
        progress: called with the learners read since its last call.
    """
    minutes = find_minutes(course=course)
    done = [
        found
        for policy in sorted(conducts.list_policies_in_use(course_id=course.pk) - {engine.LEARNT})
        if (found := _renew_minutes(course, policy, minutes, at)) is not None
    ]
    done.append(_learn_linear(course, minutes, at=at, seed=seed, progress=progress))
    return done


def find_minutes(*, course: Course) -> dict[int, float]:
    """Return item version id -> minutes that a first try takes; empty for too few timed answers.

    The median of the newest answers, drawn to the course's median where there are few.
    """
    rows = Response.objects.filter(course=course, attempt=1, elapsed_ms__gt=0)
    newest = rows.order_by("-pk").values_list("item_version", "elapsed_ms")[:LATEST_TIMED]
    table = np.array(list(newest), dtype=np.int64).reshape(-1, 2)
    if len(table) < MIN_TIMED:
        return {}
    version, log_minutes = table[:, 0], np.log(table[:, 1] / 60_000.0)
    overall = float(np.median(log_minutes))
    order = np.argsort(version, kind="stable")
    ids, starts = np.unique(version[order], return_index=True)
    found = {}
    for pk, own in zip(ids.tolist(), np.split(log_minutes[order], starts[1:]), strict=True):
        mean = (len(own) * float(np.median(own)) + SHRUNK_BY * overall) / (len(own) + SHRUNK_BY)
        minutes = float(np.exp(mean))
        found[pk] = round(min(max(minutes, decision_log.LEAST_MINUTES), LONGEST_MINUTES), 3)
    return found


def _renew_minutes(
    course: Course, policy: str, minutes: Mapping[int, float], at: dt.datetime
) -> Learnt | None:
    """Give a policy with nothing to learn new minutes, where they have moved."""
    live = conducts.get_live_version(course_id=course.pk, policy=policy)
    body: Mapping[str, Any] = {} if live is None else live.body
    known = {int(pk): float(value) for pk, value in body.get("minutes", {}).items()}
    if not minutes or not _moved(known, minutes):
        return None
    gate = Gate("minutes", passed=True, found=f"{len(minutes)} items timed")
    version = steering.store_policy_version(
        course=course,
        policy=policy,
        parameters=body.get("parameters", {}),
        minutes=minutes,
        provenance={"gates": [gate.to_dict()]},
        at=at,
    )
    steering.promote_policy(version=version, at=at, reason="expected minutes have moved")
    return Learnt(policy, version, promoted=True, gates=(gate,))


def _moved(known: Mapping[int, float], minutes: Mapping[int, float]) -> bool:
    if not known.keys() >= minutes.keys():
        return True
    return any(abs(known[pk] / value - 1.0) > MINUTES_MOVED for pk, value in minutes.items())


def _learn_linear(
    course: Course,
    minutes: Mapping[int, float],
    *,
    at: dt.datetime,
    seed: int,
    progress: Callable[[int], object],
) -> Learnt:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "decisions.jsonl"
        told = decision_log.write_log(course=course, path=path, progress=progress)
        log = read_decisions(path) if told.rows else None
    return _judge(course, log, told, minutes, at=at, seed=seed)


def _judge(
    course: Course,
    log: DecisionLog | None,
    told: decision_log.Told,
    minutes: Mapping[int, float],
    *,
    at: dt.datetime,
    seed: int,
) -> Learnt:
    usable = None if log is None else log.only(~np.isnan(log.reward) & log.left_to_chance)
    learners = 0 if usable is None else len(np.unique(usable.learner))
    enough = Gate(
        "enough",
        passed=learners >= MIN_LEARNERS,
        found=f"{0 if usable is None else len(usable)} decisions left to chance and answered, "
        f"of {learners} learners; {MIN_LEARNERS} are needed",
    )
    if usable is None or not enough.passed:
        return Learnt(engine.LEARNT, None, promoted=False, gates=(enough,))
    held = _held_out(usable, seed=seed)
    train = usable.only(~held)
    try:
        coefficients = fit_coefficients(train)
    except CurriculumError as problem:
        gate = Gate("fitted", passed=False, found=str(problem))
        return Learnt(engine.LEARNT, None, promoted=False, gates=(enough, gate))
    parameters = {"coefficients": coefficients}
    gates = (enough, *_gates(usable.only(held), parameters, seed=seed))
    version = steering.store_policy_version(
        course=course,
        policy=engine.LEARNT,
        parameters=parameters,
        minutes=minutes,
        provenance={
            "gates": [gate.to_dict() for gate in gates],
            "decisions": len(train),
            "learners": learners,
            "held_out_learners": len(np.unique(usable.learner[held])),
            "left_out": dict(told.left_out),
            "seed": seed,
        },
        at=at,
    )
    passed = all(gate.passed for gate in gates)
    if passed:
        steering.promote_policy(version=version, at=at, reason="learnt, and passed its gates")
    return Learnt(engine.LEARNT, version, promoted=passed, gates=gates)


def _held_out(log: DecisionLog, *, seed: int) -> npt.NDArray[np.bool_]:
    """Return [n] whether a decision's learner is one of those that the fit does not see."""
    learners = int(log.learner.max()) + 1
    chosen = np.random.default_rng([seed, 4]).permutation(learners) < HELD_OUT * learners
    return np.asarray(chosen[log.learner])


def fit_coefficients(log: DecisionLog) -> list[float]:
    """Return the linear policy's coefficients from rewarded decisions.

    Features are taken less their mean over the decision's open arms: what is added to all arms
    moves no choice, and what a situation is worth (a hard course, a tired learner) is no arm's
    merit. The noise of single rewards draws the coefficients together; they are stretched again
    until scores differ between arms as much as the hand-set ones, for which the temperature is.

    Raises:
        NothingToFit: too few decisions.
    """
    owner, counts = log.decision_of_arm, np.diff(log.starts)
    sums = np.zeros((len(log), log.values.shape[1]))
    np.add.at(sums, owner, log.values)
    apart = log.values - (sums / counts[:, None])[owner]
    fitted = fit_linear(apart[log.chosen], log.reward, log.arm_propensity[log.chosen])
    width, wanted = (apart @ fitted.coefficients).std(), (apart @ np.array(PRIOR)).std()
    stretched = fitted.coefficients * (wanted / width if width > 0.0 else 1.0)
    found: list[float] = np.round(stretched, 6).tolist()
    return found


def _gates(held_out: DecisionLog, parameters: Mapping[str, Any], *, seed: int) -> list[Gate]:
    """Return what the held-out learners' decisions say of the learnt policy."""
    limits = Limits(min_learners=int(MIN_LEARNERS * HELD_OUT), seed=seed)
    better = _over_logged(
        "better", held_out, parameters, limits, lambda low, _: low > 0.0, "above the log's own"
    )
    weakest = held_out.only(_weakest_half(held_out))
    fair = _over_logged(
        "fair-to-the-weakest",
        weakest,
        parameters,
        Limits(min_learners=int(MIN_LEARNERS * HELD_OUT / 2), seed=seed),
        lambda _, high: high >= 0.0,
        "for the half with the lower mastery",
    )
    return [better, fair]


def _over_logged(
    name: str,
    log: DecisionLog,
    parameters: Mapping[str, Any],
    limits: Limits,
    holds: Callable[[float, float], bool],
    of: str,
) -> Gate:
    try:
        found = evaluate(log, engine.LEARNT, parameters=parameters, limits=limits)
    except CurriculumError as problem:
        return Gate(name, passed=False, found=str(problem))
    one = found.estimates["dr"]
    text = (
        f"{one.over_logged:+.5f} mastery a minute {of} "
        f"(95 %: {one.over_low:+.5f} to {one.over_high:+.5f}; doubly robust, "
        f"{found.decisions} decisions, effective {found.effective:.0f})"
    )
    return Gate(name, passed=holds(one.over_low, one.over_high), found=text)


def _weakest_half(log: DecisionLog) -> npt.NDArray[np.bool_]:
    """Return [n] whether a decision's learner is in the half with the lower mean mastery."""
    mastery = log.values[log.chosen, log.features.index("mastery")]
    _, owner = np.unique(log.learner, return_inverse=True)
    mean = np.bincount(owner, weights=mastery) / np.bincount(owner)
    return np.asarray((mean <= np.median(mean))[owner])
