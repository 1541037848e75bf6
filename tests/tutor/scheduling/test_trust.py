"""Trust: estimates held against answers, and a network that does worse counts no more."""

import datetime as dt
import uuid

import numpy as np
import pytest
from django.core.cache import cache as django_cache

from tests.factories import AT, make_class, make_learner, start_session
from tests.tutor.histories import tracer_of, versions_of
from tests.tutor.networks import give_network
from tutor.content import selectors as content_selectors
from tutor.registry import selectors as registry_selectors
from tutor.responses import services as response_services
from tutor.responses.models import Response
from tutor.scheduling import calibrating, evidence, judging, scoring, trust
from tutor.scheduling.models import Decision
from tutor.tracing import distrust
from tutor.tracing.models import DeepStanding

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
LEARNERS = 10


@pytest.fixture
def classroom(course, organisation):
    give_network(course)
    learners = [make_learner(organisation=organisation) for _ in range(LEARNERS)]
    return make_class(course=course, users=[learner.user for learner in learners])


def logit(p):
    return np.log(p / (1 - p))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def let_answer(classroom, **how):
    """Answers of a class, see `let_learners_answer`."""
    let_learners_answer(classroom.course, classroom.learners.order_by("pk"), **how)


def let_learners_answer(
    course,
    learners,
    *,
    good,
    each=30,
    start=AT,
    seed=0,
    weight=1.0,
    concepts=None,
    chances=(0.1, 0.95),
    difficulty=None,
    **fields,
):
    """Answers to items of which the filter knows nothing (0.6), the network much, or the contrary.

    `chances`: between which the true ones lie; `difficulty`: what it says alone, "truth" or a
    number; `fields`: of the decisions, otherwise than usual.
    """
    rng = np.random.default_rng(seed)
    tracer = registry_selectors.get_live_tracer(course_id=course.pk)
    versions = [
        version
        for version in versions_of(course)
        if concepts is None
        or content_selectors.get_concepts_of_version(version_id=version.pk)[0] in concepts
    ]
    decisions, answers = [], []
    for learner in learners:
        for number in range(each):
            truth = rng.uniform(*chances)
            deep = truth if good else 1 - truth
            at = start + number * dt.timedelta(minutes=1)
            decision = Decision(
                learner=learner,
                course=course,
                at=at,
                item_version=versions[number % len(versions)],
                item_seed=1,
                policy="test-1",
                tracer=tracer,
                course_revision=course.revision,
                seed=1,
                propensity=1.0,
                reason="new",
                **{"rung": "deep", **fields},
                expected_live=0.6,
                expected_deep=deep,
                expected=sigmoid(logit(0.6) + weight * (logit(deep) - logit(0.6))),
                prediction_weight=weight,
                expected_difficulty=truth if difficulty == "truth" else difficulty,
            )
            right = float(rng.random() < truth)
            decisions.append(decision)
            answers.append(
                Response(
                    learner=learner,
                    client_key=uuid.uuid4(),
                    course=course,
                    item_version=decision.item_version,
                    answer={"text": "5"},
                    is_correct=bool(right),
                    credit=right,
                    presentation=decision.public_id,
                    answered_at=at,
                    received_at=at,
                    source="test",
                )
            )
    Decision.objects.bulk_create(decisions)
    response_services.append_new(rows=answers)


def read(classroom, **fields):
    learners = list(classroom.learners.values_list("pk", flat=True))
    return trust.read_outcomes(
        learner_ids=learners, course_id=classroom.course_id, since=AT - DAY, **fields
    )


class TestScores:
    def test_agree_with_a_plain_loop(self, classroom):
        let_answer(classroom, good=True, weight=0.5)
        found = scoring.score(read(classroom))

        losses = {"live": [], "deep": [], "pooled": []}
        for decision in Decision.objects.all():
            credit = Response.objects.get(presentation=decision.public_id).credit
            for name, prob in (
                ("live", decision.expected_live),
                ("deep", decision.expected_deep),
                ("pooled", decision.expected),
            ):
                losses[name].append(-np.log(prob if credit else 1 - prob))
        assert found.n == LEARNERS * 30
        assert found.learners == LEARNERS
        for name, own in losses.items():
            assert getattr(found, name) == pytest.approx(np.mean(own))
        assert found.difference == pytest.approx(found.pooled - found.live)
        assert found.pooled < found.live

    def test_the_error_covers(self):
        rng = np.random.default_rng(0)
        inside = 0
        for _ in range(400):
            cluster = np.repeat(np.arange(40), 12)
            values = rng.normal(size=40)[cluster] + rng.normal(size=480)
            mean, error = scoring.clustered_mean(values, cluster)
            inside += abs(mean) < 1.96 * error
        assert 0.91 < inside / 400 < 0.98

    def test_help_and_later_tries_do_not_count(self, classroom):
        let_answer(classroom, good=True, each=3)
        before = len(read(classroom))
        first, second, *_ = Response.objects.order_by("pk")
        learner = classroom.learners.order_by("pk").first()
        for own, fields in ((first, {"attempt": 2}), (second, {"attempt": 3, "hints_seen": 1})):
            own.pk, own.client_key, own._state.adding = None, uuid.uuid4(), True
            for name, value in fields.items():
                setattr(own, name, value)
            own.save()
        assert len(read(classroom)) == before
        assert (read(classroom).learner_id == learner.pk).sum() == 3

    def test_random_answers_leave_nothing_to_tell(self, classroom):
        let_answer(classroom, good=True, each=60)
        outcomes = read(classroom)
        shuffled = np.random.default_rng(1).permutation(outcomes.credit)
        blind = trust.Outcomes(
            **{
                name: getattr(outcomes, name)
                for name in trust.Outcomes.__dataclass_fields__
                if name != "credit"
            },
            credit=shuffled,
        )
        assert scoring.score(blind).difference > 0

    def test_what_counted_for_nothing_is_no_evidence(self, classroom):
        let_answer(classroom, good=False, weight=0.0)
        assert scoring.score(read(classroom)) is None

        let_answer(classroom, good=True, each=4, start=AT + DAY)
        assert scoring.score(read(classroom)).n == 4 * LEARNERS
        # What was said before a question is held against the answer all the same.
        assert sum(one.n for one in calibrating.calibrate(read(classroom))) == 34 * LEARNERS

    def test_bins_hold_every_answer(self, classroom):
        let_answer(classroom, good=True)
        bins = calibrating.calibrate(read(classroom))

        assert sum(one.n for one in bins) == LEARNERS * 30
        for one in bins:
            assert one.low <= one.expected <= one.high
            assert abs(one.right - one.expected) < 4 * np.sqrt(0.25 / one.n)

    def test_rungs_are_counted(self, classroom):
        let_answer(classroom, good=True, each=2)
        assert trust.count_rungs(classroom=classroom, since=AT - DAY) == {"deep": 2 * LEARNERS}


class TestJudging:
    def test_a_network_that_helps_stays(self, classroom):
        let_answer(classroom, good=True)
        assert judging.judge_course(course=classroom.course, at=AT + DAY) == 0

    def test_one_that_harms_counts_no_more_in_that_class(self, classroom, organisation):
        other = make_class(
            course=classroom.course, users=[make_learner(organisation=organisation).user]
        )
        let_answer(classroom, good=False)

        assert judging.judge_course(course=classroom.course, at=AT + DAY) > 0

        tracer = tracer_of(classroom.course)
        words = distrust.list_words(tracer=tracer)
        assert words[classroom.pk][None] is False
        assert other.pk not in words
        row = DeepStanding.objects.filter(concept=None, classroom=classroom).get()
        assert row.evidence["difference"] > 3 * row.evidence["error"]
        # Without the concepts that are out already by themselves.
        assert row.evidence["n"] >= evidence.LEAST_ANSWERS

    def test_chances_are_the_filters_where_it_does_not_count(self, classroom):
        course = classroom.course
        learner = classroom.learners.order_by("pk").first()
        let_answer(classroom, good=False)
        judging.judge_course(course=course, at=AT + DAY)
        start_session(learner=learner, course=course, at=AT + 2 * DAY, draw_seed=1)

        newest = Decision.objects.order_by("-pk")[0]
        assert newest.rung in ("live", "difficulty")
        assert newest.expected == newest.expected_live

    def test_one_concept_alone(self, classroom):
        course = classroom.course
        bad, *_ = tracer_of(course).bank.concept_ids.tolist()
        rest = tracer_of(course).bank.concept_ids.tolist()[1:]
        let_answer(classroom, good=False, concepts=[bad])
        let_answer(classroom, good=True, each=90, start=AT + DAY, seed=1, concepts=rest)

        judging.judge_course(course=course, at=AT + 2 * DAY)

        course.refresh_from_db()
        words = distrust.list_words(tracer=tracer_of(course))
        assert distrust.distrusted_in(words, classroom.pk) == {bad}
        assert words[classroom.pk] == words[None] == {bad: False}

    def test_a_very_bad_concept_does_not_take_the_class_along(self, classroom):
        course = classroom.course
        bad, *rest = tracer_of(course).bank.concept_ids.tolist()
        let_answer(classroom, good=False, each=200, concepts=[bad])
        let_answer(classroom, good=True, each=40, start=AT + DAY, seed=1, concepts=rest)

        judging.judge_course(course=course, at=AT + 2 * DAY)

        course.refresh_from_db()
        words = distrust.list_words(tracer=tracer_of(course))
        assert distrust.distrusted_in(words, classroom.pk) == {bad}
        assert words[classroom.pk] == words[None] == {bad: False}

    def test_few_answers_decide_nothing(self, classroom):
        let_answer(classroom, good=False, each=5)
        assert judging.judge_course(course=classroom.course, at=AT + DAY) == 0

    def test_it_comes_back_when_it_does_no_worse(self, classroom):
        course = classroom.course
        let_answer(classroom, good=False)
        judging.judge_course(course=course, at=AT + DAY)
        course.refresh_from_db()
        assert judging.judge_course(course=course, at=AT + 2 * DAY) == 0
        # In the shadow it goes on predicting, and well now.
        let_answer(classroom, good=True, each=120, start=AT + 3 * DAY, seed=2)

        assert judging.judge_course(course=course, at=AT + 4 * DAY) > 0

        course.refresh_from_db()
        words = distrust.list_words(tracer=tracer_of(course))
        assert distrust.distrusted_in(words, classroom.pk) == frozenset()
        assert distrust.distrusted_in(words, None) == frozenset()
        assert DeepStanding.objects.filter(concept=None).order_by("-pk")[0].counts

    def test_without_workers_it_does_not_come_back(self, classroom):
        course = classroom.course
        let_answer(classroom, good=False)
        judging.judge_course(course=course, at=AT + DAY)
        course.refresh_from_db()
        let_answer(classroom, good=True, each=120, start=AT + 3 * DAY, seed=2, weight=0.0)

        assert judging.judge_course(course=course, at=AT + 4 * DAY) == 0

    def test_what_took_it_out_once_does_not_again(self, classroom):
        course = classroom.course
        let_answer(classroom, good=False)
        judging.judge_course(course=course, at=AT + HOUR)
        # The same day: to the moment, answers before the verdict do not count.
        let_answer(classroom, good=True, each=59, start=AT + 2 * HOUR, seed=2)
        for hour in range(3, 8):
            course.refresh_from_db()
            judging.judge_course(course=course, at=AT + hour * HOUR)

        rows = DeepStanding.objects.filter(concept=None, classroom=classroom).order_by("pk")
        assert list(rows.values_list("counts", flat=True)) == [False, True]
        out = DeepStanding.objects.filter(at=AT + HOUR).values_list("concept", flat=True)
        fresh = Decision.objects.filter(at__gt=AT + HOUR)
        assert rows[1].evidence["n"] == sum(
            content_selectors.get_concepts_of_version(version_id=one.item_version_id)[0] not in out
            for one in fresh
        )

        # New answers do.
        let_answer(classroom, good=False, start=AT + 9 * HOUR, seed=3)
        course.refresh_from_db()
        judging.judge_course(course=course, at=AT + 10 * HOUR)
        assert [row.counts for row in rows.all()] == [False, True, False]

    def test_another_network_begins_with_a_clean_slate(self, classroom):
        course = classroom.course
        let_answer(classroom, good=False)
        judging.judge_course(course=course, at=AT + DAY)
        django_cache.clear()
        give_network(course, seed=5)

        assert distrust.list_words(tracer=tracer_of(course)) == {}
        assert judging.judge_course(course=course, at=AT + DAY) == 0


class TestWholeCourse:
    def flags(self, course, learners):
        course.refresh_from_db()
        tracer = tracer_of(course)
        found = distrust.find(learner_ids=[one.pk for one in learners], tracer=tracer)
        return [pk in found and found[pk].all() for pk in (one.pk for one in learners)]

    @pytest.fixture
    def loners(self, course, organisation):
        """Learners in no class, as an LMS brings them."""
        give_network(course)
        return [make_learner(organisation=organisation) for _ in range(LEARNERS)]

    def test_who_is_in_no_class_is_protected(self, course, loners):
        let_learners_answer(course, loners, good=False)

        assert judging.judge_course(course=course, at=AT + DAY) > 0

        assert DeepStanding.objects.filter(classroom=None, concept=None, counts=False).count() == 1
        assert all(self.flags(course, loners))
        start_session(learner=loners[0], course=course, at=AT + 2 * DAY, draw_seed=1)
        newest = Decision.objects.order_by("-pk")[0]
        assert newest.expected == newest.expected_live

    def test_small_classes_are_judged_together(self, course, loners):
        """Five in each: none of them could ever say anything by itself."""
        classes = [
            make_class(course=course, users=[one.user for one in loners[first : first + 5]])
            for first in (0, 5)
        ]
        let_learners_answer(course, loners, good=False)
        judging.judge_course(course=course, at=AT + DAY)

        assert not DeepStanding.objects.filter(classroom__in=classes).exists()
        assert all(self.flags(course, loners))

    def test_a_class_that_it_helps_speaks_for_it(self, course, loners, organisation):
        lucky = [make_learner(organisation=organisation) for _ in range(LEARNERS)]
        classroom = make_class(course=course, users=[one.user for one in lucky])
        let_learners_answer(course, lucky, good=True, each=60)
        let_learners_answer(course, loners, good=False, each=90, start=AT + HOUR, seed=1)
        judging.judge_course(course=course, at=AT + DAY)

        assert all(self.flags(course, loners))
        assert not any(self.flags(course, lucky))
        assert DeepStanding.objects.get(classroom=classroom, concept=None).counts

    def test_a_bad_class_does_not_take_the_course_along(self, course, loners, organisation):
        unlucky = [make_learner(organisation=organisation) for _ in range(LEARNERS)]
        make_class(course=course, users=[one.user for one in unlucky])
        let_learners_answer(course, unlucky, good=False, each=90)
        let_learners_answer(course, loners, good=True, each=60, start=AT + HOUR, seed=1)
        judging.judge_course(course=course, at=AT + DAY)

        assert all(self.flags(course, unlucky))
        assert not any(self.flags(course, loners))

    def test_it_comes_back_there_too(self, course, loners):
        let_learners_answer(course, loners, good=False)
        judging.judge_course(course=course, at=AT + DAY)
        course.refresh_from_db()
        let_learners_answer(course, loners, good=True, each=120, start=AT + 3 * DAY, seed=2)
        judging.judge_course(course=course, at=AT + 4 * DAY)

        assert not any(self.flags(course, loners))
