"""Whatever the course: who is always right finishes, who is always wrong is handed over.

The learner is followed by the product's own tracer, time passes, and where the scheduler asks to
wait, one waits.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curriculum.bandits import POLICIES, make_policy
from curriculum.scheduler import (
    Finish,
    FinishCode,
    Memory,
    RecentAnswers,
    Rules,
    Situation,
    build_bank,
    decide,
)
from curriculum.scheduler.guards import count_attempts
from kt_models.streaming import psi_filter, psi_survey
from kt_models.streaming.psi_parameters import FilterParameters
from tests.curriculum.scheduler.factories import DAY, NOW
from tutor.scheduling import lately
from tutor.tracing.engine import RECENT_ANSWERS, RECENT_ROW

PARAMETERS = FilterParameters()
RULES = Rules()
# Per concept that has to be worked on, and that many for what is shared.
MOST_RIGHT, MOST_WRONG = 40, 16
MOST_WAITS = 400


@st.composite
def courses(draw):
    """Random graphs and banks, every concept with at least one operational item."""
    size = draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    density = draw(st.sampled_from([0.0, 0.3, 0.8]))
    edges = [(a, b) for b in range(size) for a in range(b) if rng.random() < density]
    per_concept = draw(st.integers(1, 6))
    rows = [[concept, -1] for concept in range(size) for _ in range(per_concept)]
    if size > 1:
        rows += [rng.permutation(size)[:2].tolist() for _ in range(draw(st.integers(0, 4)))]
    bank = build_bank(
        item_ids=np.arange(len(rows)) + 100,
        concepts=np.array(rows),
        concept_ids=np.arange(size) + 10,
        requires=edges,
        is_template=rng.random(len(rows)) < draw(st.sampled_from([0.0, 0.5])),
        is_fact=rng.random(size) < draw(st.sampled_from([0.0, 0.5])),
    )
    goal = rng.random(size) < draw(st.sampled_from([0.4, 1.0]))
    goal[rng.integers(size)] = True
    easiness = draw(st.sampled_from([0.5, -1.0]))
    return bank, goal, rng.normal(easiness, 0.8, len(rows))


class Pupil:
    """One learner with one answer to everything, and the tracer that follows.

    Who is wrong tries each question twice. What is kept of the answers goes the product's way.
    """

    def __init__(self, course, *, right):
        self.bank, self.goal, self.offsets = course
        self.right, self.at, self.state = right, NOW, psi_filter.init(PARAMETERS)
        size = self.bank.n_concepts
        self.layout = psi_survey.lay_out(
            PARAMETERS,
            concepts=np.where(
                self.bank.concepts >= 0, self.bank.concept_ids[self.bank.concepts], -1
            ),
            item_offsets=self.offsets,
            concept_ids=self.bank.concept_ids,
            concept_offsets=np.array(
                [np.median(self.offsets[self.carriers(c)]) for c in range(size)]
            ),
        )
        self.mastered_before = np.zeros(size, dtype=bool)
        self.recent, self.modes, self.waits = np.empty(0, dtype=RECENT_ROW), [], 0

    def carriers(self, concept):
        return (self.bank.concepts == concept).any(axis=1)

    def situation(self, rules):
        seen = psi_survey.survey(self.state, PARAMETERS, self.layout, at=self.at)
        lower, evidence = seen.concepts.lower_prob, seen.concepts.evidence_n
        self.mastered_before |= (lower >= rules.mastery_threshold) & (
            evidence >= rules.mastery_evidence
        )
        size = self.bank.n_concepts
        base = self.state.ability_mean + self.layout.concept_offsets
        practised = np.zeros(size)
        practised[self.state.concept_ids - 10] = self.state.practice_counts
        tries = lately.first_tries(self.recent[-RECENT_ANSWERS:])
        answers = RecentAnswers(
            item_ids=tries["item"].astype(np.int64),
            at=tries["at"],
            correct=tries["credit"].astype(float),
            modes=np.array(self.modes[len(self.modes) - len(tries) :], dtype=np.int8),
        )
        return Situation(
            bank=self.bank,
            goal=self.goal,
            logit_mean=seen.items.logit_mean,
            logit_var=seen.items.logit_var,
            prob=seen.items.prob,
            expected_gain=seen.gains,
            concept_prob=seen.concepts.prob,
            concept_lower_prob=lower,
            evidence_n=evidence,
            concept_last_at=seen.last_at,
            mastered_before=self.mastered_before.copy(),
            at=self.at,
            policy_version="bounded",
            recent=answers,
            attempts=count_attempts(self.bank, answers, at=self.at, rules=rules),
            rules=rules,
            memory=Memory(
                base=base,
                level=seen.concepts.logit_mean - base,
                var=seen.concepts.logit_var,
                practised=practised,
            ),
        )

    def answer(self, decision):
        row = int(self.bank.rows_of(np.array([decision.item_id]))[0])
        for again in (False,) if self.right else (False, True):
            self.at += 45.0
            self.state = psi_filter.update(
                self.state,
                PARAMETERS,
                concept_ids=tuple(self.bank.concept_ids[list(self.bank.carried[row])].tolist()),
                item_offset=float(self.offsets[row]),
                correct=float(self.right),
                at=self.at,
                assisted=again,
            )
            kept = (decision.item_id, self.at, float(self.right), again)
            self.recent = np.append(self.recent, np.array([kept], dtype=RECENT_ROW))
        self.modes.append(["learn", "practise", "review", "probe"].index(decision.mode.value))

    def work(self, policy, *, most, until, rules=RULES):
        """Return the finish reached within `most` answers, waiting where that helps."""
        for step in range(most + MOST_WAITS):
            found = decide(self.situation(rules), seed=step, policy=policy)
            if not isinstance(found, Finish):
                if len(self.modes) == most:
                    return None
                self.answer(found)
            elif found.code is FinishCode.EXHAUSTED_FOR_NOW:
                self.waits += 1
                self.at = max(found.next_at, self.at + DAY)
            else:
                return found.code
            if self.mastered_before[self.goal].all() and until is FinishCode.ALL_MASTERED:
                return until
        return None


@settings(max_examples=40, deadline=None)
@given(course=courses(), name=st.sampled_from(sorted(POLICIES)))
def test_always_right_finishes_any_assignment(course, name):
    pupil = Pupil(course, right=True)
    most = MOST_RIGHT * course[0].n_concepts
    found = pupil.work(make_policy(name), most=most, until=FinishCode.ALL_MASTERED)
    assert found is FinishCode.ALL_MASTERED


@settings(max_examples=40, deadline=None)
@given(course=courses(), name=st.sampled_from(sorted(POLICIES)))
def test_always_wrong_is_handed_over(course, name):
    pupil = Pupil(course, right=False)
    most = MOST_WRONG * course[0].n_concepts
    found = pupil.work(make_policy(name), most=most, until=FinishCode.STUCK)
    assert found is FinishCode.STUCK


NEVER = 10_000


@pytest.mark.parametrize(
    ("right", "rules", "until"),
    [
        # Nothing tells that a learner is stuck, and no cap ends it.
        (
            False,
            Rules(stuck_after=NEVER, max_exposures=NEVER, template_max_exposures=NEVER),
            FinishCode.STUCK,
        ),
        # Nobody has answers enough to have mastered anything.
        (True, Rules(mastery_evidence=NEVER), FinishCode.ALL_MASTERED),
    ],
    ids=["no hand-over", "no mastery"],
)
def test_what_is_bounded_is_so_by_the_rules(right, rules, until):
    """The two properties above can fail: without the rule that each stands on, it does."""
    bank = build_bank(
        item_ids=np.arange(8) + 100,
        concepts=np.repeat([0, 1], 4)[:, None],
        concept_ids=[10, 11],
        requires=[(0, 1)],
    )
    course = (bank, np.array([True, True]), np.full(8, 0.5))
    most = (MOST_RIGHT if right else MOST_WRONG) * 2

    pupils = [Pupil(course, right=right) for _ in range(2)]
    bounded = pupils[0].work(make_policy("gain-softmax"), most=most, until=until)
    endless = pupils[1].work(make_policy("gain-softmax"), most=most, until=until, rules=rules)

    assert bounded is until
    assert endless is None


@pytest.mark.parametrize(
    ("is_template", "most"), [([True], 15), ([False], 3), ([False] * 4, 12), ([False] * 6, 15)]
)
def test_who_has_only_a_few_questions_is_handed_over_at_once(is_template, most):
    """By the answers on the concept, or by the caps of all that there is on it."""
    bank = build_bank(
        item_ids=np.arange(len(is_template)) + 100,
        concepts=np.zeros((len(is_template), 1), dtype=int),
        concept_ids=[10],
        requires=[],
        is_template=is_template,
    )
    pupil = Pupil((bank, np.array([True]), np.zeros(len(is_template))), right=False)

    found = pupil.work(make_policy("gain-softmax"), most=most, until=FinishCode.STUCK)

    assert found is FinishCode.STUCK
    assert len(pupil.modes) == most
    # Of weeks of caps nobody has to wait for any.
    assert pupil.at - NOW < 20 * DAY
