"""A course's policies learn at night: minutes of items, coefficients of arms; gates before use.

For workers and commands. Coefficients are learnt from some of the learners and judged on the
others, by what the logged decisions say of them; what passes every gate is promoted as it was
judged, what does not is kept with the reasons.
"""

import dataclasses
import datetime as dt
import json
import math
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from curriculum.errors import CurriculumError
from curriculum.evaluation import DecisionLog, read_decisions
from curriculum.fitting.linear import fit_linear
from curriculum.scheduler.features import PRIOR
from tutor.content.models import Course
from tutor.scheduling import conduct as conducts
from tutor.scheduling import decision_log, engine, steering, surrogate
from tutor.scheduling.gates import Gate, Policy, judge
from tutor.scheduling.minutes import Timed, find_minutes
from tutor.scheduling.models import PolicyVersion

HELD_OUT = 0.4
MIN_LEARNERS = 100
# Every look is a chance to be wrong: the next one comes with so many times the decisions.
NEXT_LOOK = 1.25
# A version for new minutes alone comes only where they differ by so much somewhere.
MINUTES_MOVED = 0.2
# Timed answers of that item, for the difference to be no chance.
MIN_OF_ITEM = 30


@dataclass(frozen=True, slots=True)
class Told:
    """What delayed probes said of the fast reward.

    Attributes:
        weights: of each mode's gains.
        probes: that were counted.
        correlation: of what was foretold with what came; nan for too few.
        kept_because: why the old weights stayed; empty where they did not.
    """

    weights: Mapping[str, float] = field(default_factory=dict)
    probes: int = 0
    correlation: float = math.nan
    kept_because: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        known = None if math.isnan(self.correlation) else round(self.correlation, 4)
        return {
            "mode_weights": dict(self.weights),
            "probes": self.probes,
            "probe_correlation": known,
            "mode_weights_kept_because": self.kept_because,
        }


@dataclass(frozen=True, slots=True)
class Learnt:
    """What came of a night for one policy; `version` is None where nothing new was stored."""

    policy: str
    version: PolicyVersion | None
    promoted: bool
    gates: tuple[Gate, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {
            "policy": self.policy,
            "version": None if self.version is None else self.version.number,
            "promoted": self.promoted,
            "gates": [gate.to_dict() for gate in self.gates],
        }


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
    timed = find_minutes(course=course)
    done = [
        found
        for policy in sorted(conducts.list_policies_in_use(course_id=course.pk) - {engine.LEARNT})
        if (found := _renew_minutes(course, policy, timed, at)) is not None
    ]
    minutes = {pk: own.minutes for pk, own in timed.items()}
    done.append(_learn_linear(course, minutes, at=at, seed=seed, progress=progress))
    return done


def _renew_minutes(
    course: Course, policy: str, timed: Mapping[int, Timed], at: dt.datetime
) -> Learnt | None:
    """Give a policy with nothing to learn new minutes, where they have moved.

    Not where somebody has gone back to an earlier version: that holds until they undo it.
    """
    live = conducts.get_live_version(course_id=course.pk, policy=policy)
    body: Mapping[str, Any] = {} if live is None else live.body
    known = {int(pk): float(value) for pk, value in body.get("minutes", {}).items()}
    moved = _count_moved(known, timed)
    if not moved:
        return None
    newest = PolicyVersion.objects.filter(course=course, policy=policy).order_by("-number").first()
    if live is not None and newest is not None and newest.number != live.number:
        found = f"version {live.number} was put back in place of {newest.number}"
        gate = Gate("not-rolled-back", passed=False, found=found)
        return Learnt(policy, None, promoted=False, gates=(gate,))
    gate = Gate(
        "minutes",
        passed=True,
        found=f"{moved} of {len(timed)} items with {MIN_OF_ITEM} timed answers have moved",
    )
    minutes = {pk: own.minutes for pk, own in timed.items()}
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


def _count_moved(known: Mapping[int, float], timed: Mapping[int, Timed]) -> int:
    """Return how many items with answers enough take clearly other minutes than is known."""
    return sum(
        pk not in known or abs(known[pk] / own.minutes - 1.0) > MINUTES_MOVED
        for pk, own in timed.items()
        if own.answers >= MIN_OF_ITEM
    )


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
        told = decision_log.write_log(course=course, path=path, at=at, progress=progress)
        log = read_decisions(path) if told.rows else None
        weights, found = _weigh_modes(course, path, seed=seed)
    if log is not None:
        log = _weighed(log, weights)
    probes = Told(weights, found.rows, found.correlation, found.reason)
    return _judge(course, log, told, minutes, at=at, seed=seed, probes=probes)


def _weigh_modes(
    course: Course, path: Path, *, seed: int
) -> tuple[dict[str, float], surrogate.Reweighting]:
    newest = PolicyVersion.objects.filter(course=course, policy=engine.LEARNT).order_by("-pk")
    before = newest.first()
    previous = {} if before is None else before.provenance.get("mode_weights", {})
    with path.open(encoding="utf-8") as lines:
        rows = (json.loads(line) for line in lines)
        return surrogate.weigh_modes(course=course, rows=rows, previous=previous, seed=seed)


def _weighed(log: DecisionLog, weights: Mapping[str, float]) -> DecisionLog:
    """Return the log with each reward times the weight of the mode it was earned in."""
    of_decision = np.zeros(len(log))
    for mode, weight in weights.items():
        is_mode = log.values[log.chosen, log.features.index(f"is_{mode}")] > 0.5
        of_decision += weight * is_mode
    return dataclasses.replace(log, reward=log.reward * of_decision)


def _judge(
    course: Course,
    log: DecisionLog | None,
    told: decision_log.Told,
    minutes: Mapping[int, float],
    *,
    at: dt.datetime,
    seed: int,
    probes: Told = Told(),
) -> Learnt:
    usable = None if log is None else log.only(~np.isnan(log.reward) & log.left_to_chance)
    learners = 0 if usable is None else len(np.unique(usable.learner))
    enough = Gate(
        "enough",
        passed=learners >= MIN_LEARNERS,
        found=f"{0 if usable is None else len(usable)} decisions left to chance, "
        f"of {learners} learners; {MIN_LEARNERS} are needed",
    )
    if usable is None or not enough.passed:
        return Learnt(engine.LEARNT, None, promoted=False, gates=(enough,))
    newest = PolicyVersion.objects.filter(course=course, policy=engine.LEARNT).order_by("-pk")
    looked_at = max((row.provenance.get("looked_at", 0) for row in newest[:1]), default=0)
    if len(usable) < NEXT_LOOK * looked_at:
        waits = f"{len(usable)} decisions; looked at {looked_at}, next at {NEXT_LOOK} times as many"
        gate = Gate("enough-new", passed=False, found=waits)
        return Learnt(engine.LEARNT, None, promoted=False, gates=(enough, gate))
    held = _held_out(usable, seed=seed)
    train = usable.only(~held)
    try:
        coefficients = fit_coefficients(train)
    except CurriculumError as problem:
        gate = Gate("fitted", passed=False, found=str(problem))
        return Learnt(engine.LEARNT, None, promoted=False, gates=(enough, gate))
    parameters = {"coefficients": coefficients}
    candidate = Policy(engine.LEARNT, parameters)
    gates = (
        enough,
        *judge(
            usable.only(held),
            candidate,
            live=_live(course),
            seed=seed,
            learners=HELD_OUT * MIN_LEARNERS,
        ),
    )
    version = steering.store_policy_version(
        course=course,
        policy=engine.LEARNT,
        parameters=parameters,
        minutes=minutes,
        provenance={
            "gates": [gate.to_dict() for gate in gates],
            "decisions": len(train),
            "looked_at": len(usable),
            "learners": learners,
            "held_out_learners": len(np.unique(usable.learner[held])),
            "left_out": dict(told.left_out),
            "unanswered": dict(told.unanswered),
            **probes.to_dict(),
            "seed": seed,
        },
        at=at,
    )
    passed = all(gate.passed for gate in gates)
    if passed:
        steering.promote_policy(version=version, at=at, reason="learnt, and passed its gates")
    return Learnt(engine.LEARNT, version, promoted=passed, gates=gates)


def _live(course: Course) -> Policy:
    """Return what serves classes that leave the choice of a policy to the program."""
    live = conducts.get_live_version(course_id=course.pk, policy=engine.LEARNT)
    if live is None:
        return Policy(engine.FIRST, {})
    return Policy(engine.LEARNT, live.body["parameters"])


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
