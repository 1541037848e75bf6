"""Worlds in which what every policy is worth is known: pools of real decisions with exact rewards.

A class of BKT students is taught; at each decision, every open pair of arm and item has the exact
mean of its reward, from the student's hidden state: the rise of true success, averaged over the
course, that learning the item's concepts by chance would bring. Drawing learners from the pool, and
decisions anew, gives as many logs as wanted of which the truth is an enumeration.
"""

import dataclasses
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np

from curriculum.bandits import make_policy
from curriculum.evaluation import DecisionLog
from curriculum.evaluation.rewards import NOT_TAKEN
from curriculum.scheduler import Rules, find_distribution
from curriculum.scheduler.features import FEATURES, describe_arms
from curriculum.simulation.desk import Classroom
from curriculum.simulation.drawn_course import CourseShape, bank_of, draw_course
from curriculum.simulation.practising import practise
from curriculum.simulation.students import make_simulator
from curriculum.simulation.timetable import Timetable
from curriculum.simulation.tracer import lay_out
from kt_models import api

KIND = "true-gain"


def classroom(*, seed, minutes=6.0):
    """A small class of BKT students with a tracer that is not fitted to them."""
    course = draw_course(seed=seed, shape=CourseShape(concepts=6, items_each=4))
    fitted = api.FittedFilter(
        parameters=api.FilterParameters(gain_right=0.3, gain_wrong=0.2),
        intercept=0.3,
        item_offsets={},
        item_ns={},
        concept_offsets={},
        provenance={},
    )
    return Classroom(
        simulator=make_simulator("bkt", course, seed=seed),
        bank=bank_of(course),
        tracer=lay_out(fitted, course, minutes=np.full(24, 0.6)),
        rules=Rules(),
        timetable=Timetable(minutes=minutes, session_minutes=6.0),
        seed=seed,
    )


def learning_chances(student, item):
    """[(chance, rise)] of each unknown concept of the item, as `BktStudent.learn` has it."""
    found = []
    before = student.success_probs(at=0.0).mean()
    for place, concept in enumerate(student.course.items[item].concepts):
        if student.known[concept]:
            continue
        open_ = all(student.known[parent] for parent in student.course.prerequisites[concept])
        chance = student.transit[concept] * (1.0 if open_ else student.locked)
        student.known[concept] = True
        rise = student.success_probs(at=0.0).mean() - before
        student.known[concept] = False
        found.append((chance * (1.0 if place == 0 else 0.5), rise))
    return found


@dataclass(frozen=True, eq=False)
class Pool:
    """Decisions of many learners. D decisions, P pairs and T arms in all, by decision.

    A pair is worth `rise` with the chance `chance`, else nothing, plus noise. Learners who put off
    what they are given do so with the chance `put_off`, and what is put off is worth nothing.
    """

    learners: int
    learner: np.ndarray  # [D]
    pair_starts: np.ndarray  # [D + 1]
    arm_starts: np.ndarray  # [D + 1]
    pair_arm: np.ndarray  # [P] arm row within its decision
    logged: np.ndarray  # [P]
    within: np.ndarray  # [P]
    uniform: np.ndarray  # [P]
    chance: np.ndarray  # [P]
    rise: np.ndarray  # [P]
    values: np.ndarray  # [T, F]
    targets: dict  # name -> [P]
    put_off: np.ndarray | float = 0.0  # [P]

    def worth(self, chances):
        """The exact mean reward per decision of a policy with these chances of pairs."""
        taken = chances * (1.0 - self.put_off)
        return float((taken * self.chance * self.rise).sum() / len(self.learner))

    def with_skips(self):
        """The same learners, who put off six in ten of what would teach them most."""
        gain = self.chance * self.rise
        put_off = np.where(gain > np.quantile(gain, 0.6), 0.6, 0.05)
        return dataclasses.replace(self, put_off=put_off)

    def arms_of(self, chances):
        rows = np.repeat(self.arm_starts[:-1], np.diff(self.pair_starts)) + self.pair_arm
        return np.bincount(rows, weights=chances, minlength=len(self.values))

    def draw(self, rng, *, learners, noise=0.002):
        """A decision log of learners drawn from the pool, with decisions and rewards drawn anew."""
        chosen = rng.integers(self.learners, size=learners)
        of = [np.flatnonzero(self.learner == one) for one in range(self.learners)]
        decision = np.concatenate([of[one] for one in chosen])
        learner = np.repeat(np.arange(learners), [len(of[one]) for one in chosen])
        total = np.concatenate([[0.0], np.cumsum(self.logged)])
        # Chances sum to 1 over each decision: decision d owns the span from d to d + 1.
        at = total[self.pair_starts[decision]] + rng.random(len(decision)) * (1.0 - 1e-9)
        pair = np.searchsorted(total, at, side="right") - 1
        sizes = np.diff(self.arm_starts)[decision]
        starts = np.concatenate([[0], np.cumsum(sizes)])
        arms = np.repeat(self.arm_starts[decision] - starts[:-1], sizes) + np.arange(starts[-1])
        learnt = rng.random(len(pair)) < self.chance[pair]
        reward = learnt * self.rise[pair] + noise * rng.standard_normal(len(pair))
        if np.ndim(self.put_off):
            reward = np.where(rng.random(len(pair)) < self.put_off[pair], NOT_TAKEN, reward)
        size = len(decision)
        return DecisionLog(
            learner=learner,
            propensity=self.logged[pair],
            chosen=starts[:-1] + self.pair_arm[pair],
            starts=starts,
            within=self.within[pair],
            uniform=self.uniform[pair],
            epsilon=np.full(size, 0.05),
            temperature=np.full(size, 0.25),
            top_share=np.full(size, 0.8),
            left_to_chance=np.ones(size, dtype=bool),
            arm_propensity=self.arms_of(self.logged)[arms],
            arm_uniform=self.arms_of(self.uniform)[arms],
            features=FEATURES,
            values=self.values[arms],
            targets={
                name: (one[pair], self.arms_of(one)[arms]) for name, one in self.targets.items()
            },
            reward=reward,
            reward_kind=np.full(size, KIND),
            policies=("gain-softmax",),
        )


def make_pool(*, learners, seed, targets, minutes=6.0, most=12):
    """A pool of the first decisions of so many learners, logged by gain-softmax."""
    room = classroom(seed=seed, minutes=minutes)
    policies = {name: make_policy(name) for name in targets}
    logging = make_policy("gain-softmax")
    rows = {name: [] for name in ("learner", "pairs", "arms")}
    parts = {
        name: [] for name in ("pair_arm", "logged", "within", "uniform", "chance", "rise", "values")
    }
    others = {name: [] for name in targets}
    for index in range(learners):
        heard = 0

        def chosen(choice, index=index):
            nonlocal heard
            if heard >= most:
                return
            heard += 1
            choices = choice.chances.choices
            worth = [learning_chances(choice.student, int(item)) for item in choices.item]
            rows["learner"].append(index)
            rows["pairs"].append(len(choices.item))
            rows["arms"].append(len(choices.arms.concept))
            # Of an item of two concepts the first unknown one counts: one coin a pair.
            parts["chance"].append([one[0][0] if one else 0.0 for one in worth])
            parts["rise"].append([one[0][1] if one else 0.0 for one in worth])
            parts["pair_arm"].append(choices.arm)
            parts["logged"].append(choice.chances.joint)
            parts["within"].append(choices.within)
            parts["uniform"].append(choices.uniform)
            parts["values"].append(describe_arms(choices))
            for name, policy in policies.items():
                others[name].append(find_distribution(choice.situation, policy=policy).joint)

        listener = SimpleNamespace(chosen=chosen, answered=lambda answered: None)
        practise(room, logging, index=index, listener=listener)
    whole = {name: np.concatenate(one) for name, one in parts.items()}
    return Pool(
        learners=learners,
        learner=np.array(rows["learner"]),
        pair_starts=np.concatenate([[0], np.cumsum(rows["pairs"])]),
        arm_starts=np.concatenate([[0], np.cumsum(rows["arms"])]),
        targets={name: np.concatenate(one) for name, one in others.items()},
        **whole,
    )
