"""Teachers' rules: kept as hard bounds, refused where they cannot be, taken back, made again."""

import dataclasses
import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import (
    AT,
    answer_current,
    make_assignment,
    make_class,
    make_course,
    make_learner,
    make_organisation,
    make_user,
    set_scheduling,
    small_course_spec,
    start_session,
)
from tests.tutor.histories import record, versions_of
from tutor.accounts.models import AuditEntry
from tutor.content import services as content_services
from tutor.content.models import Concept, Item
from tutor.practice import timing, usecases
from tutor.scheduling import conduct, engine, replaying, ruling, wishes
from tutor.scheduling.errors import InfeasibleRule, InvalidRule, RuleTakenBack
from tutor.scheduling.models import Decision, SteeringRule
from tutor.scheduling.rule_values import Order
from tutor.tracing import rebuilding
from tutor.tracing import selectors as tracing_selectors

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def teacher(organisation):
    return make_user(organisation=organisation, role="teacher", name="Tea Cher")


@pytest.fixture
def classroom(course, learner, teacher):
    found = make_class(course=course, users=[learner.user, teacher])
    set_scheduling(found)
    return found


def concept(course, slug):
    return Concept.objects.get(course=course, slug=slug)


def an_item(course, slug="adding", **fields):
    """An item of the concept that is not a template."""
    rows = Item.objects.filter(course=course, current__concepts__slug=slug, **fields)
    return next(row for row in rows.order_by("pk") if not row.current.body["parameters"])


def ask(classroom, kind, *, actor=None, at=AT, **fields):
    row = ruling.set_rule(classroom=classroom, order=Order(kind=kind, **fields), actor=actor, at=at)
    classroom.course.refresh_from_db()
    return row


def sit(learner, course, *, answers=30, at=AT, right=True, **fields):
    """The decisions of a sitting, the first ones included, each made again."""
    course.refresh_from_db()
    session = start_session(learner=learner, course=course, at=at, draw_seed=7, **fields)
    first = session.current_id
    for number in range(answers):
        if session.finished_at is not None:
            break
        answer_current(session, right=right, at=at + (number + 1) * MINUTE, draw_seed=number)
    if session.finished_at is None:
        usecases.finish_practice(learner=learner, session=session, at=at + answers * MINUTE)
    found = list(Decision.objects.filter(learner=learner, pk__gte=first).order_by("pk"))
    for decision in found:
        assert replaying.decide_again(decision).receipt() == decision.receipt
    return found


def reach(learner, course, wanted):
    """Right answers on the items of a concept, until others may build on it."""
    versions = [row for row in versions_of(course) if wanted in row.concepts.all()]
    for number in range(12):
        record(
            learner=learner,
            course=course,
            version=versions[number % len(versions)],
            answered_at=AT - DAY + number * MINUTE,
            received_at=AT,
        )
    tracer = tracing_selectors.get_tracer(course_id=course.pk, revision=course.revision)
    list(rebuilding.fold(tracer=tracer, learner_ids=[learner.pk]))


def items_of(decisions):
    return [row.item_version.item for row in decisions if row.item_version is not None]


def carries(item, slug):
    return item.current.concepts.filter(slug=slug).exists()


class TestPins:
    def test_a_question_comes_first_and_once(self, classroom, learner, course, teacher):
        wanted = an_item(course, "adding")
        row = ask(classroom, "pin", item=wanted, actor=teacher, reason="for tomorrow")

        found = sit(learner, course)

        assert items_of(found)[0] == wanted
        assert items_of(found).count(wanted) == 1
        assert found[0].reason == "teacher-pick"
        assert found[0].receipt["removed"]["not-pinned"] > 0
        assert found[0].steering == [row.pk]
        assert (row.set_by, row.reason, row.at) == (teacher, "for tomorrow", AT)

    def test_an_answer_of_before_does_not_count(self, classroom, learner, course):
        given = items_of(sit(learner, course, answers=1))[0]
        ask(classroom, "pin", item=given, at=AT + 10 * MINUTE)

        found = sit(learner, course, at=AT + 3 * DAY)

        assert items_of(found)[0] == given
        assert items_of(found).count(given) == 1

    def test_a_topic_comes_first_until_it_is_mastered(self, classroom, learner, course):
        ask(classroom, "pin", concept=concept(course, "adding"))

        found = [
            row
            for day in range(3)
            for row in sit(learner, course, at=AT + day * 2 * DAY)
            if row.item_version is not None
        ]

        picked = [row for row in found if row.reason == "teacher-pick"]
        assert len(picked) > 3
        assert all(carries(row.item_version.item, "adding") for row in picked)
        assert any(not carries(item, "adding") for item in items_of(found))

    def test_holds_for_whom_it_is_set(self, classroom, learner, course, organisation):
        other = make_learner(organisation=organisation)
        classroom.enrolments.create(learner=other)
        wanted = an_item(course, "adding")
        ask(classroom, "pin", item=wanted, learners=[other])

        mine, theirs = sit(learner, course, answers=1), sit(other, course, answers=1)

        assert mine[0].steering is None
        assert theirs[0].reason == "teacher-pick"

    def test_holds_in_its_assignment(self, classroom, learner, course):
        assignment = make_assignment(classroom=classroom)
        wanted = an_item(course, "adding")
        ask(classroom, "pin", item=wanted, assignment=assignment)

        free = sit(learner, course, answers=1)
        assigned = sit(learner, course, answers=1, assignment=assignment, at=AT + DAY)

        assert free[0].reason != "teacher-pick"
        assert items_of(assigned)[0] == wanted

    def test_the_question_just_answered_wrong_is_given_once_more_and_no_oftener(
        self, classroom, learner, course
    ):
        version = next(row for row in versions_of(course) if row.body["parameters"])
        wrong = {"learner": learner, "course": course, "version": version, "received_at": AT}
        wrong |= {"is_correct": False, "credit": 0.0}
        record(**wrong, answered_at=AT - 2 * DAY)
        ask(classroom, "pin", item=version.item, at=AT - DAY)
        record(**wrong, answered_at=AT - DAY + MINUTE)
        tracer = tracing_selectors.get_tracer(course_id=course.pk, revision=course.revision)
        list(rebuilding.fold(tracer=tracer, learner_ids=[learner.pk]))

        found = sit(learner, course, answers=1)

        assert found[0].steering
        assert found[0].reason != "teacher-pick"


@pytest.mark.slow
class TestBounds:
    def test_what_is_banned_never_comes(self, classroom, learner, course):
        ask(classroom, "ban", concept=concept(course, "doubling"))
        unwanted = an_item(course, "adding")
        ask(classroom, "ban", item=unwanted)

        found = [row for day in range(3) for row in sit(learner, course, at=AT + day * 2 * DAY)]

        given = items_of(found)
        assert given
        assert unwanted not in given
        assert not any(carries(item, "doubling") for item in given)
        assert found[0].receipt["removed"]["banned"] > 0

    def test_a_quota_is_kept_across_sittings(self, classroom, learner, course):
        sit(learner, course, answers=2)
        ask(classroom, "quota", concept=concept(course, "adding"), value=4, at=AT + 5 * MINUTE)

        found = [row for day in range(1, 5) for row in sit(learner, course, at=AT + day * 2 * DAY)]

        assert sum(carries(item, "adding") for item in items_of(found)) == 4
        assert any("quota-used" in row.receipt["removed"] for row in found)

    def test_counts_answers_that_the_state_no_longer_holds(
        self, classroom, learner, course, monkeypatch
    ):
        # As if a learner had given hundreds of answers since.
        monkeypatch.setattr("tutor.tracing.engine.RECENT_ANSWERS", 3)
        wanted = an_item(course, "adding")
        ask(classroom, "pin", item=wanted)
        ask(classroom, "quota", concept=concept(course, "adding"), value=5)

        found = [row for day in range(4) for row in sit(learner, course, at=AT + day * 2 * DAY)]

        assert items_of(found).count(wanted) == 1
        assert sum(carries(item, "adding") for item in items_of(found)) == 5

    def test_a_sitting_with_only_used_quotas_ends_with_thanks(self, classroom, learner, course):
        adding = concept(course, "adding")
        assignment = make_assignment(classroom=classroom, concepts=[adding])
        ask(classroom, "quota", concept=adding, value=2, assignment=assignment)

        found = sit(learner, course, assignment=assignment)

        assert len(items_of(found)) == 2
        assert found[-1].reason == "quota-used"

    def test_an_order_of_topics_is_kept(self, classroom, learner, course):
        turned = [concept(course, slug).pk for slug in ("naming", "adding")]
        ask(classroom, "order", value=turned)

        found = sit(learner, course, answers=4)

        assert all(carries(item, "naming") for item in items_of(found)[:3])

    def test_sittings_are_no_longer_than_wished(self, classroom, learner, course):
        ask(classroom, "length", value=3)

        found = sit(learner, course)

        assert len(items_of(found)) == 3
        assert found[-1].reason == "limit-reached"

    def test_one_taken_back_no_longer_ends_the_sitting(self, classroom, learner, course):
        row = ask(classroom, "length", value=2)
        session = start_session(learner=learner, course=course, at=AT, draw_seed=7)
        answer_current(session, at=AT + MINUTE)
        assert timing.get_planned_items(session=session) == 2
        ruling.take_back(classroom=classroom, rule_id=row.pk, actor=None, at=AT + MINUTE)
        for number in range(2, 5):
            answer_current(session, at=AT + number * MINUTE)

        assert session.finished_at is None
        # What is told is what holds, and not what the sitting began with.
        assert (session.planned_items, timing.get_planned_items(session=session)) == (2, 10)
        for decision in Decision.objects.filter(learner=learner):
            assert replaying.decide_again(decision).receipt() == decision.receipt

    def test_an_accommodation_of_nobody_holds_for_nobody(self, classroom, learner, course):
        row = ask(classroom, "steady", learners=[learner])
        row.learners.clear()
        content_services.raise_revision(course=course)

        assert start_session(learner=learner, course=course).current.steering is None

    def test_an_exam_is_planned_for(self, classroom, learner, course):
        ask(classroom, "exam", value=AT + 10 * DAY)
        ask(classroom, "minutes", value=4)

        situation = replaying.situation_of(sit(learner, course, answers=1)[0])

        assert situation.due_at == (AT + 10 * DAY).timestamp()
        assert situation.study_minutes == pytest.approx(40)
        after = replaying.situation_of(sit(learner, course, answers=1, at=AT + 11 * DAY)[0])
        assert (after.due_at, after.study_minutes) == (None, None)

    def test_nothing_is_drawn_at_random_in_a_test_and_for_whom_it_is_wished(
        self, classroom, learner, course
    ):
        set_scheduling(classroom, explores=True)
        assignment = make_assignment(classroom=classroom)
        ask(classroom, "test", assignment=assignment)

        tested = sit(learner, course, answers=1, assignment=assignment)
        ask(classroom, "steady", learners=[learner])
        steady = sit(learner, course, answers=1, at=AT + DAY)

        assert tested[0].receipt["exploring"] == "test"
        assert steady[0].receipt["exploring"] == "flagged"

    def test_bans_hold_where_the_choice_fails(self, classroom, learner, course, monkeypatch):
        first = Item.objects.filter(course=course).order_by("pk").first()
        ask(classroom, "ban", item=first)

        def broken(*_, **__):
            raise ZeroDivisionError("injected")

        monkeypatch.setattr(engine, "_memory", broken)
        course.refresh_from_db()
        decision = start_session(learner=learner, course=course).current

        assert decision.fallback == "error"
        assert decision.item_version.item != first

    @pytest.mark.parametrize("broken_part", ["_out_of_turn", "bound"])
    def test_bans_hold_where_the_rules_themselves_fail(
        self, classroom, learner, course, monkeypatch, broken_part
    ):
        first = Item.objects.filter(course=course).order_by("pk").first()
        ask(classroom, "ban", item=first)
        ask(classroom, "order", value=[concept(course, s).pk for s in ("naming", "adding")])
        whole = getattr(wishes, broken_part)

        def broken(rules, *given, **fields):
            if any(wish.kind == "order" for wish in rules):
                raise ZeroDivisionError("injected")
            return whole(rules, *given, **fields)

        monkeypatch.setattr(wishes, broken_part, broken)
        decision = start_session(learner=learner, course=course).current

        assert decision.fallback == "error"
        assert decision.item_version.item != first
        assert "injected" in decision.receipt["fallback"]

    def test_a_rule_that_cannot_be_read_does_not_hold(self, classroom, learner, course):
        SteeringRule.objects.create(classroom=classroom, kind="exam", value="some day", at=AT)
        content_services.raise_revision(course=course)

        assert start_session(learner=learner, course=course).current.steering is None


class TestRefusals:
    def test_a_pin_that_is_banned_and_a_ban_of_what_is_pinned(self, classroom, course):
        wanted = an_item(course, "adding")
        ban = ask(classroom, "ban", concept=concept(course, "adding"))
        with pytest.raises(InfeasibleRule, match=f"“{wanted.slug}” cannot be given first: it is b"):
            ask(classroom, "pin", item=wanted)

        ruling.take_back(classroom=classroom, rule_id=ban.pk, actor=None, at=AT)
        ask(classroom, "pin", item=wanted)
        with pytest.raises(InfeasibleRule, match="cannot be given first: it is banned"):
            ask(classroom, "ban", item=wanted)

        assert SteeringRule.objects.filter(reverts=None).count() == 2

    def test_a_pin_of_what_is_not_in_use(self, classroom, course):
        wanted = an_item(course, "adding")
        Item.objects.filter(pk=wanted.pk).update(status=Item.Status.EXCLUDED)
        with pytest.raises(InfeasibleRule, match="it is not in use"):
            ask(classroom, "pin", item=wanted)

    def test_a_pin_whose_prerequisite_cannot_be_reached(self, classroom, course):
        dependent = next(
            row for row in Concept.objects.filter(course=course) if row.prerequisites.exists()
        )
        needed = dependent.prerequisites.first().requires
        ask(classroom, "quota", concept=needed, value=2)

        with pytest.raises(InfeasibleRule, match=f"it needs “{needed.name}”"):
            ask(classroom, "pin", concept=dependent)

        assert SteeringRule.objects.count() == 1

    @pytest.fixture
    def chain(self, course, classroom):
        """A concept, and one that needs it and is asked for."""
        dependent = next(
            row for row in Concept.objects.filter(course=course) if row.prerequisites.exists()
        )
        make_assignment(classroom=classroom, concepts=[dependent], title="Goal")
        return dependent.prerequisites.first().requires, dependent

    @pytest.mark.parametrize(
        "fields", [{"kind": "ban"}, {"kind": "quota", "value": 2}], ids=["ban", "quota"]
    )
    def test_what_locks_an_assignment(self, classroom, chain, fields):
        needed, goal = chain

        with pytest.raises(
            InfeasibleRule, match=f"“{goal.name}” needs “{needed.name}”.* in “Goal”"
        ):
            ask(classroom, concept=needed, **fields)

        assert not SteeringRule.objects.exists()

    def test_a_bar_that_locks_an_assignment(self, classroom, course, learner, chain):
        needed, goal = chain
        spec = small_course_spec()
        items = [
            dataclasses.replace(item, needs=("sound",)) if needed.slug in item.concepts else item
            for item in spec.items
        ]
        content_services.load_course(
            organisation=course.organisation, spec=dataclasses.replace(spec, items=items)
        )

        with pytest.raises(InfeasibleRule, match=f"“{goal.name}” needs “{needed.name}”"):
            ask(classroom, "bar", value=["sound"], learners=[learner])

    def test_not_for_whom_has_what_is_needed(self, classroom, course, learner, chain):
        needed, _ = chain
        reach(learner, course, needed)

        rule = ask(classroom, "ban", concept=needed)
        ruling.take_back(classroom=classroom, rule_id=rule.pk, actor=None, at=AT)

        newcomer = make_learner(organisation=course.organisation)
        classroom.enrolments.create(learner=newcomer)
        with pytest.raises(InfeasibleRule, match=f"needs “{needed.name}”"):
            ask(classroom, "ban", concept=needed)

    def test_a_ban_of_all_that_an_assignment_asks_for(self, classroom, course):
        adding = concept(course, "adding")
        make_assignment(classroom=classroom, concepts=[adding], title="Sums")

        with pytest.raises(InfeasibleRule, match=r"Nothing would be left to give in “Sums”\."):
            ask(classroom, "ban", concept=adding)

    def test_an_order_against_the_prerequisites(self, classroom, course):
        dependent = next(
            row for row in Concept.objects.filter(course=course) if row.prerequisites.exists()
        )
        needed = dependent.prerequisites.first().requires
        with pytest.raises(InfeasibleRule, match=f"“{dependent.name}” cannot come before"):
            ask(classroom, "order", value=[dependent.pk, needed.pk])

    def test_two_orders_that_turn_each_other_round(self, classroom, learner, course):
        one, other = (concept(course, slug).pk for slug in ("naming", "adding"))
        ask(classroom, "order", value=[one, other])
        with pytest.raises(InfeasibleRule, match="another order turns them round"):
            ask(classroom, "order", value=[other, one], learners=[learner])

        # The class's own takes the place of the one before.
        ask(classroom, "order", value=[other, one])

    def test_orders_that_go_round_by_a_third_topic(self, classroom, learner, course):
        first, second, third = (
            concept(course, slug).pk for slug in ("naming", "adding", "doubling")
        )
        ask(classroom, "order", value=[first, second])
        ask(classroom, "order", value=[second, third], learners=[learner])
        assignment = make_assignment(classroom=classroom)
        with pytest.raises(InfeasibleRule, match="another order turns them round"):
            ask(classroom, "order", value=[third, first], assignment=assignment)

    def test_names_the_learner_that_it_cannot_be_kept_for(
        self, classroom, learner, course, organisation
    ):
        classroom.enrolments.create(learner=make_learner(organisation=organisation))
        wanted = an_item(course, "adding")
        ask(classroom, "pin", item=wanted)

        with pytest.raises(InfeasibleRule, match=rf"banned \(for {learner.label}\)"):
            ask(classroom, "ban", item=wanted, learners=[learner])

    @pytest.mark.parametrize(
        ("kind", "fields"),
        [
            ("pin", {}),
            ("quota", {"value": 3}),
            ("length", {"value": 0}),
            ("minutes", {"value": "ten"}),
            ("exam", {"value": AT - DAY}),
            ("order", {"value": []}),
            ("bar", {"value": ["sound"]}),
            ("test", {}),
            ("dance", {}),
        ],
    )
    def test_what_is_missing_or_wrong_is_said(self, classroom, kind, fields):
        with pytest.raises(InvalidRule):
            ask(classroom, kind, **fields)

        assert not SteeringRule.objects.exists()

    def test_what_is_not_of_the_class(self, classroom, course):
        strangers = make_organisation()
        elsewhere = make_course(organisation=strangers)
        outsider = make_learner(organisation=strangers)
        for fields in (
            {"kind": "pin", "concept": Concept.objects.filter(course=elsewhere).first()},
            {"kind": "time", "value": 1.5, "learners": [outsider]},
        ):
            with pytest.raises(InvalidRule):
                ask(classroom, **fields)


class TestHistory:
    def test_a_rule_is_taken_back_by_a_row_and_told_to_the_audit(
        self, classroom, learner, course, teacher
    ):
        row = ask(classroom, "length", value=2, actor=teacher)
        ruling.take_back(
            classroom=classroom, rule_id=row.pk, actor=teacher, at=AT + DAY, reason="too short"
        )

        assert len(items_of(sit(learner, course, at=AT + DAY))) > 2
        undone = SteeringRule.objects.get(reverts=row)
        assert (undone.set_by, undone.reason, undone.at) == (teacher, "too short", AT + DAY)
        told = AuditEntry.objects.filter(action__startswith="steering.").order_by("pk")
        assert [entry.action for entry in told] == ["steering.set", "steering.taken-back"]
        with pytest.raises(RuleTakenBack):
            ruling.take_back(classroom=classroom, rule_id=row.pk, actor=teacher, at=AT + DAY)

    def test_a_newer_number_takes_the_place_of_the_older(self, classroom, learner, course):
        ask(classroom, "length", value=2)
        ask(classroom, "length", value=4)

        assert len(items_of(sit(learner, course))) == 4
        assert SteeringRule.objects.filter(reverts=None, reverted_by=None).count() == 1

    def test_a_choice_is_made_again_after_its_rule_is_gone(self, classroom, learner, course):
        row = ask(classroom, "pin", item=an_item(course, "adding"))
        first = sit(learner, course, answers=1)[0]
        ruling.take_back(classroom=classroom, rule_id=row.pk, actor=None, at=AT + DAY)

        assert replaying.decide_again(first).receipt() == first.receipt

    def test_costs_no_query_where_the_state_holds_all(self, classroom, learner, course):
        def statements():
            session = start_session(learner=learner, course=course, at=AT, draw_seed=7)
            answer_current(session, at=AT + MINUTE)
            with CaptureQueriesContext(connection) as caught:
                answer_current(session, at=AT + 2 * MINUTE)
            return len(caught)

        without = statements()
        ask(classroom, "pin", item=an_item(course, "adding"))
        ask(classroom, "quota", concept=concept(course, "adding"), value=50)
        assert statements() <= without


class TestForEverybody:
    """Whom a rule is for is said when it is set: who leaves takes their own rules with them."""

    @pytest.mark.parametrize("kind", ["ban", "length", "test", "bar"])
    def test_a_rule_whose_last_learner_is_deleted_becomes_nobodys(
        self, course, classroom, learner, kind
    ):
        assignment = make_assignment(classroom=classroom)
        fields = {
            "ban": {"item": an_item(course)},
            "length": {"value": 3},
            "test": {"assignment": assignment},
            "bar": {"value": ["sound"]},
        }[kind]
        other = make_learner(organisation=course.organisation)
        rule = ask(classroom, kind, learners=[learner], **fields)
        assert not rule.for_everybody

        # What a deletion of the learner does to the rule.
        rule.learners.through.objects.filter(steeringrule=rule).delete()

        [wish] = conduct.list_wishes(conduct.list_rules(class_ids=[classroom.pk]))
        for somebody in (learner, other):
            assert not wish.holds_for(learner_id=somebody.pk, assignment_id=assignment.pk)
        # Nor is it what a rule for everybody takes the place of.
        if kind in {"ban", "length"}:
            everybodys = ask(classroom, kind, at=AT + DAY, **fields)
            assert everybodys.for_everybody
            assert not SteeringRule.objects.filter(reverts=rule).exists()
            holding = conduct.list_wishes(conduct.list_rules(class_ids=[classroom.pk]))
            assert [one.pk for one in holding if one.for_everybody] == [everybodys.pk]
