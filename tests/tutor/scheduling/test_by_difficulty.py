"""What is known of learners is held against difficulty alone, and gives way where it does worse."""

import dataclasses
import datetime as dt

import numpy as np
import pytest

from tests.factories import AT, make_class, make_learner, small_course_spec, start_session
from tests.tutor.histories import bulk_history, tracer_of
from tests.tutor.networks import give_network
from tests.tutor.scheduling.test_trust import let_learners_answer
from tutor.content import services as content_services
from tutor.registry import selectors as registry_selectors
from tutor.registry import services as registry_services
from tutor.scheduling import contests, judging, replaying, scoring, trust
from tutor.scheduling.models import Decision
from tutor.tracing import distrust, engine, rebuilding
from tutor.tracing.models import DeepStanding, FilterStanding

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)
LEARNERS = 10


@pytest.fixture
def classroom(course, organisation):
    learners = [make_learner(organisation=organisation) for _ in range(LEARNERS)]
    return make_class(course=course, users=[learner.user for learner in learners])


def let_answer(classroom, *, difficulty, **how):
    """Answers of which the filter says 0.6, and difficulty what is given: "truth", or a number."""
    let_learners_answer(
        classroom.course,
        classroom.learners.order_by("pk"),
        good=True,
        difficulty=difficulty,
        weight=0.0,
        **how,
    )


def judge(classroom, at=AT + DAY):
    changed = judging.judge_course(course=classroom.course, at=at)
    classroom.course.refresh_from_db()
    return changed


def score_of(classroom):
    outcomes = trust.read_outcomes(course_id=classroom.course_id, since=AT - DAY)
    assert len(outcomes)
    return scoring.score_personal(scoring.tally_personal(outcomes))


def simple_in(classroom):
    words = distrust.list_filter_words(tracer=tracer_of(classroom.course))
    return distrust.distrusted_in(words, classroom.pk)


class TestVerdict:
    def test_a_filter_that_does_worse_is_set_aside_and_the_evidence_kept(self, classroom):
        let_answer(classroom, difficulty="truth")

        assert judge(classroom) > 0

        assert None in simple_in(classroom)
        row = FilterStanding.objects.filter(classroom=classroom, concept=None).get()
        assert row.evidence["difference"] > 3 * row.evidence["error"] > 0
        assert row.evidence["personal"] > row.evidence["difficulty"]
        # Also for those in no class, by the course as a whole.
        assert FilterStanding.objects.filter(classroom=None, concept=None).exists()
        assert not DeepStanding.objects.exists()

    def test_one_that_helps_stays(self, classroom):
        # True chances lie around a half, so 0.6 loses less than 0.9.
        let_answer(classroom, difficulty=0.9)
        assert judge(classroom) == 0

    def test_random_labels_take_nothing_out(self, classroom):
        """Both are as far from coins: a difference of chance alone, looked at again and again."""
        minutes = dt.timedelta(minutes=11)
        for number in range(6):
            let_answer(
                classroom,
                difficulty=0.4,
                chances=(0.5, 0.5),
                each=10,
                start=AT + number * dt.timedelta(hours=2),
                seed=number,
            )
            assert judge(classroom, at=AT + number * dt.timedelta(hours=2) + minutes) == 0

    def test_where_nothing_was_known_there_is_no_evidence(self, classroom):
        let_answer(classroom, difficulty=0.6)
        assert score_of(classroom) is None
        assert judge(classroom) == 0

    def test_answers_of_before_it_was_kept_say_nothing(self, classroom):
        let_answer(classroom, difficulty=None)
        assert score_of(classroom) is None
        assert judge(classroom) == 0

    def test_answers_of_later_are_no_evidence_yet(self, classroom):
        let_answer(classroom, difficulty="truth", start=AT + DAY)
        assert judge(classroom, at=AT + DAY - dt.timedelta(seconds=1)) == 0
        assert judge(classroom, at=AT + 2 * DAY) > 0

    def test_of_two_who_judge_at_once_one_is_heard(self, classroom, monkeypatch):
        let_answer(classroom, difficulty="truth")
        look, heard = contests.list_contests, []

        def overtaken(**given):
            found = look(**given)
            monkeypatch.setattr(contests, "list_contests", look)
            heard.append(judge(classroom))
            return found

        monkeypatch.setattr(contests, "list_contests", overtaken)
        assert judge(classroom) == 0
        assert FilterStanding.objects.count() == heard[0] > 0

    def test_a_course_that_cannot_be_judged_holds_up_no_other(
        self, classroom, organisation, monkeypatch
    ):
        other = content_services.load_course(
            organisation=organisation, spec=dataclasses.replace(small_course_spec(), slug="other")
        ).course
        asked = []

        def broken_first(*, course, at):
            asked.append(course.pk)
            if len(asked) == 1:
                raise ValueError("These data are damaged.")
            return 2

        monkeypatch.setattr(judging, "judge_course", broken_first)
        with pytest.raises(ValueError, match="damaged"):
            judging.judge_all(at=AT)
        assert asked == [classroom.course_id, other.pk]

    def test_an_answer_does_not_read_every_version_of_the_course(
        self, classroom, django_assert_num_queries
    ):
        course = classroom.course
        live = registry_selectors.get_live_tracer(course_id=course.pk)
        for number in range(2):
            registry_services.store_tracer(
                course=course, body={**live.body, "intercept": float(number)}, provenance={}
            )
        tracer = tracer_of(course)
        assert len(distrust.list_same_filter(tracer=tracer)) == 3
        assert distrust.list_same_filter(tracer=tracer, among=[]) == [live.pk]

        with django_assert_num_queries(1) as asked:
            assert distrust.list_filter_words(tracer=tracer) == {}
        assert "parameters" not in asked[0]["sql"]

    def test_it_comes_back_when_it_does_no_worse(self, classroom):
        let_answer(classroom, difficulty="truth")
        judge(classroom)
        assert judge(classroom, at=AT + 2 * DAY) == 0
        let_answer(classroom, difficulty=0.9, each=120, start=AT + 3 * DAY, seed=2)

        assert judge(classroom, at=AT + 4 * DAY) > 0
        assert simple_in(classroom) == frozenset()

    def test_with_a_network_that_counts_it_is_both_that_are_judged(self, classroom):
        """Filter and network know the truth together: the filter's badness alone is no harm."""
        give_network(classroom.course)
        learners = classroom.learners.order_by("pk")
        let_learners_answer(classroom.course, learners, good=True, difficulty=0.5)
        assert judge(classroom) == 0

        # Where the network is taken out, the filter alone is left.
        let_learners_answer(
            classroom.course, learners, good=False, difficulty="truth", each=60, start=AT + DAY
        )
        judge(classroom, at=AT + 2 * DAY)
        assert DeepStanding.objects.filter(classroom=classroom, counts=False).exists()
        assert simple_in(classroom)

    def test_a_network_that_harms_is_not_held_against_the_filter(self, classroom):
        give_network(classroom.course)
        learners = classroom.learners.order_by("pk")
        let_learners_answer(classroom.course, learners, good=False, difficulty=0.9)

        assert judge(classroom) > 0
        assert DeepStanding.objects.filter(classroom=classroom, concept=None).exists()
        assert not FilterStanding.objects.exists()

    def test_a_calibration_is_no_other_filter_and_a_fit_is(self, classroom):
        let_answer(classroom, difficulty="truth")
        judge(classroom)
        self.promote(classroom.course, {"intercept": 0.4})
        assert None in simple_in(classroom)

        live = registry_selectors.get_live_tracer(course_id=classroom.course.pk)
        fitted = {**live.body["parameters"], "gain_right": 0.2}
        self.promote(classroom.course, {"parameters": fitted})
        assert simple_in(classroom) == frozenset()
        assert judge(classroom, at=AT + 2 * DAY) == 0

    def promote(self, course, changed):
        live = registry_selectors.get_live_tracer(course_id=course.pk)
        version = registry_services.store_tracer(
            course=course, body={**live.body, **changed}, provenance={}
        )
        registry_services.promote(course=course, tracer=version, at=AT + DAY, reason="test")
        course.refresh_from_db()


class TestEffect:
    @pytest.fixture
    def one(self, classroom):
        """Somebody of whom much is known."""
        learner = classroom.learners.order_by("pk").first()
        bulk_history(learner=learner, course=classroom.course, size=20, start=AT - DAY)
        list(rebuilding.fold(tracer=tracer_of(classroom.course), learner_ids=[learner.pk]))
        return learner

    @pytest.fixture
    def out(self, classroom):
        """Both are taken out of the whole course."""
        course = classroom.course
        FilterStanding.objects.create(
            course=course, counts=False, tracer_id=tracer_of(course).tracer_id, at=AT, evidence={}
        )
        content_services.raise_revision(course=course)

    def choose(self, learner, course, at):
        start_session(learner=learner, course=course, at=at, draw_seed=1)
        return Decision.objects.order_by("-pk")[0]

    def test_items_are_chosen_by_difficulty_and_the_shadow_goes_on(self, classroom, one, out):
        row = self.choose(one, classroom.course, AT + 2 * DAY)

        tracer = tracer_of(classroom.course)
        assert row.rung == "difficulty"
        assert row.expected == pytest.approx(row.expected_difficulty, abs=1e-12)
        assert row.expected != pytest.approx(row.expected_live, abs=1e-3)
        assert row.by_difficulty == tracer.bank.concept_ids.tolist()
        # The same of everybody.
        item = tracer.bank.index_of_item[row.item_version.item_id]
        told = engine.predict_new(tracer, row=item, at=row.at.timestamp())
        assert row.expected_difficulty == told

    def test_the_choice_can_be_made_again(self, classroom, one, out):
        stored = self.choose(one, classroom.course, AT + 2 * DAY)
        past = replaying.read_past(learner_id=one.pk, course_id=classroom.course.pk)
        *_, moment = replaying.walk(past)

        assert moment.decision == stored
        assert moment.seen.by_difficulty.all()
        item = moment.tracer.bank.index_of_item[stored.item_version.item_id]
        assert moment.seen.survey.items.prob[item] == stored.expected

    def test_without_a_verdict_what_is_known_counts(self, classroom, one):
        row = self.choose(one, classroom.course, AT + 2 * DAY)

        assert row.rung == "live"
        assert row.by_difficulty is None
        assert row.expected == row.expected_live
        assert row.expected != pytest.approx(row.expected_difficulty, abs=1e-3)

    def test_what_is_said_of_concepts_stays_and_so_do_other_topics(self, classroom, one):
        tracer = tracer_of(classroom.course)
        state = rebuilding.LearnerState.objects.get(learner=one).state
        learner = engine.TracedLearner.from_bytes(bytes(state))
        flags = np.arange(len(tracer.bank.concept_ids)) == 0
        at = (AT + DAY).timestamp()
        plain = engine.see(tracer, learner, at=at)
        seen = engine.see(tracer, learner, at=at, by_difficulty=flags)
        new = engine.see(tracer, engine.start(tracer), at=at)
        own = tracer.bank.concepts[:, 0] == 0

        for name in ("prob", "lower_prob", "evidence_n"):
            got, told = (getattr(one.survey.concepts, name) for one in (seen, plain))
            assert (got == told).all()
        expected = np.where(own, new.survey.items.prob, plain.survey.items.prob)
        assert (seen.survey.items.prob == expected).all()
        assert (seen.survey.gains == np.where(own, new.survey.gains, plain.survey.gains)).all()
        assert (seen.live.items.prob == plain.live.items.prob).all()
        assert 0 < own.sum() < len(own)
        rungs = [seen.rung_of(tracer.bank, row).value for row in range(len(own))]
        assert (np.array(rungs) == np.where(own, "difficulty", "live")).all()
