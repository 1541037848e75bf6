"""What is done about alerts is kept once, by whoever may; thresholds are the class's."""

import datetime as dt
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import make_class, make_user
from tests.tutor.alerts.conftest import DAY
from tutor.alerts import following, selectors, services
from tutor.alerts.errors import (
    ActionKeyReused,
    ActionUnusable,
    ThresholdOutOfRange,
    ThresholdsChanged,
)
from tutor.alerts.kinds import Kind, What
from tutor.alerts.models import AlertAction, AlertThresholds
from tutor.alerts.thresholds import BOUNDS, DEFAULTS, NAMES
from tutor.common import cache
from tutor.common.errors import NotVisible
from tutor.scheduling.models import StuckRelease

pytestmark = pytest.mark.django_db


class TestRecordAction:
    def test_twice_under_one_key_is_once(self, school):
        ada = school.join()
        school.ask(ada)
        [need] = school.needs()
        key = uuid.uuid4()

        rows = [
            services.record_action(
                classroom=school.classroom,
                actor=school.teacher,
                kind=need.lead.kind,
                what="talked",
                at=school.now,
                learner=ada,
                evidence=need.evidence,
                client_key=key,
            )
            for _ in range(2)
        ]

        assert rows[0] == rows[1]
        row = AlertAction.objects.get()
        assert row.evidence["help"]["names"] == [str(school.sitting(ada).notes.get().pk)]
        # What the learner wrote stays where it was written.
        assert "lost" not in str(row.evidence)

    def test_a_key_of_another_action_is_refused(self, school):
        ada = school.join()
        key = uuid.uuid4()
        given = {"classroom": school.classroom, "actor": school.teacher, "at": school.now}
        services.record_action(**given, kind="help", what="talked", learner=ada, client_key=key)

        with pytest.raises(ActionKeyReused):
            services.record_action(**given, kind="help", what="other", learner=ada, client_key=key)

    @pytest.mark.parametrize(
        ("fields", "about_learner"),
        [
            ({"kind": "nothing", "what": "talked"}, True),
            ({"kind": "help", "what": "sang"}, True),
            ({"kind": "help", "what": "taken-back"}, True),
            ({"kind": "help", "what": "talked"}, False),
            ({"kind": "idea", "what": "taught"}, True),
            ({"kind": "help", "what": "snoozed"}, True),
            ({"kind": "help", "what": "talked", "days": 3}, True),
            ({"kind": "help", "what": "snoozed", "days": 0}, True),
            ({"kind": "help", "what": "snoozed", "days": 61}, True),
            ({"kind": "help", "what": "other", "text": "x" * 501}, True),
        ],
    )
    def test_that_does_not_fit_is_refused_and_nothing_kept(self, school, fields, about_learner):
        learner = school.join() if about_learner else None

        with pytest.raises(ActionUnusable):
            services.record_action(
                classroom=school.classroom,
                actor=school.teacher,
                at=school.now,
                learner=learner,
                **fields,
            )

        assert not AlertAction.objects.exists()

    def test_is_for_those_who_see_the_class_about_those_in_it(self, school):
        ada = school.join()
        stranger = make_user(organisation=school.classroom.organisation, role="teacher")
        elsewhere = make_class(course=school.course, users=[stranger])
        given = {"kind": "help", "what": "talked", "at": school.now, "learner": ada}

        for classroom, actor in ((school.classroom, stranger), (elsewhere, stranger)):
            with pytest.raises(NotVisible):
                services.record_action(classroom=classroom, actor=actor, **given)

    def test_extended_without_evidence_keeps_every_date_of_the_learner_away(self, school):
        ada = school.join()
        school.forecast(ada, school.assign())
        assert school.kinds(ada) == ["risk"]

        services.record_action(
            classroom=school.classroom,
            actor=school.teacher,
            kind=Kind.RISK,
            what=What.EXTENDED,
            at=school.now,
            learner=ada,
        )

        assert school.kinds(ada) == []

    def test_taken_back_stands_again_and_twice_is_once(self, school):
        ada = school.join()
        school.ask(ada)
        action = school.act(ada)
        assert school.kinds(ada) == []

        rows = {
            services.take_back(action=action, actor=school.colleague, at=school.now)
            for _ in range(2)
        }

        assert len(rows) == 1
        assert school.kinds(ada) == ["help"]
        # The row that took it back is no deed of its own.
        assert list(selectors.list_actions(classroom=school.classroom)) == [action]


class TestLetGoOn:
    def test_releases_once_however_often_it_is_sent(self, school):
        ada = school.join()
        adding = school.concept()
        school.decide(ada, stuck_on=[adding])
        key = uuid.uuid4()

        for _ in range(2):
            action = services.let_go_on(
                classroom=school.classroom,
                learner=ada,
                concept_id=adding.pk,
                actor=school.teacher,
                at=school.now,
                client_key=key,
            )

        assert StuckRelease.objects.count() == AlertAction.objects.count() == 1
        assert action.evidence["stuck"]["topics"][0]["topic"] == "Adding"
        assert school.kinds(ada) == []
        with pytest.raises(ActionUnusable):
            services.take_back(action=action, actor=school.teacher, at=school.now)


class TestThresholds:
    def test_are_the_classs_for_every_teacher_and_no_other_class(self, school):
        other = make_class(course=school.course, users=[school.teacher], name="8c")
        school.limits(quiet_days=9)

        limits, row = selectors.get_thresholds(classroom=school.classroom)

        assert (limits.quiet_days, row.set_by) == (9, school.teacher)
        assert selectors.get_thresholds(classroom=other) == (DEFAULTS, None)

    def test_decide_who_is_called(self, school):
        ada = school.join()
        school.answer(ada, 4, is_correct=False)
        assert school.kinds(ada) == []

        school.limits(wrong_in_a_row=4)

        assert school.kinds(ada) == ["streak"]

    @pytest.mark.parametrize("bound", BOUNDS, ids=lambda bound: bound.name)
    def test_beyond_their_bounds_are_refused(self, school, bound):
        for value in (bound.low - 1, bound.high + 1):
            with pytest.raises(ThresholdOutOfRange, match=str(bound.low)):
                school.limits(**{bound.name: value})
        assert not AlertThresholds.objects.exists()
        assert bound.low <= getattr(DEFAULTS, bound.name) <= bound.high

    def test_that_change_nothing_add_no_row(self, school):
        assert school.limits() is None
        school.limits(faded=4)
        school.limits(faded=4)

        assert AlertThresholds.objects.count() == 1

    def test_changed_by_a_colleague_meanwhile_are_not_overwritten(self, school):
        values = {name: getattr(DEFAULTS, name) for name in NAMES}
        given = {"classroom": school.classroom, "at": school.now, "base": 0}
        first = {**values, "faded": 4}
        services.set_thresholds(actor=school.colleague, values=first, **given)

        with pytest.raises(ThresholdsChanged, match="Cole League"):
            services.set_thresholds(
                actor=school.teacher, values={**values, "quiet_days": 8}, **given
            )
        # The same form twice is no such thing.
        services.set_thresholds(actor=school.colleague, values=first, **given)

        assert AlertThresholds.objects.get().faded == 4


class TestWhatFollowed:
    def follow(self, school, *actions):
        found = following.follow(
            actions=actions, classroom=school.classroom, needs=school.needs(), at=school.now
        )
        return [found[one.pk] for one in actions]

    def test_counts_the_days_before_and_after_and_says_when_it_came_back(self, school):
        ada = school.join()
        school.answer(ada, 6, is_correct=False)
        school.answer(ada, 1, ago=9 * DAY)
        action = school.act(ada)
        school.wait(days=3)
        school.answer(ada, 2, ago=DAY)
        school.answer(ada, 1, hints_seen=1)
        [found] = self.follow(school, action)
        assert (found.before.answers, found.before.right, found.before.days) == (6, 0, 1)
        assert (found.after.answers, found.after.right, found.after.days) == (3, 2, 2)
        assert (found.is_over, found.stands, found.again_at) == (False, False, None)
        said = following.say(action, found)
        assert said.startswith("So far in the 7 days after: 3 first answers on 2 days, 2 right")
        assert said.endswith("It has not come back.")

        school.wait(days=5)
        school.answer(ada, 5, is_correct=False)
        [found] = self.follow(school, action)
        # The span is over: what came after it is not counted.
        assert (found.after.answers, found.is_over, found.stands) == (3, True, True)
        assert "It stands again." in following.say(action, found)
        again = school.act(ada)
        school.wait(minutes=1)

        first, second = self.follow(school, action, again)

        assert (first.again_at, second.again_at) == (again.at, None)
        assert not first.stands

    def test_of_the_class_is_told_by_the_topic_and_the_idea(self, school):
        members = [school.join() for _ in range(3)]
        for one in members:
            school.answer(one, is_correct=False, misconception="subtracted")
        action = school.act()
        school.wait(days=1)
        school.answer(members[0], ago=dt.timedelta(hours=1))
        school.answer(members[1], is_correct=False, misconception="subtracted")

        [found] = self.follow(school, action)

        assert (found.before.showed, found.after.showed) == (3, 1)
        assert (found.after.answers, found.after.right) == (2, 1)
        assert "The idea was shown by 1, before by 3" in following.say(action, found)

    def test_takes_as_many_queries_for_many_actions_as_for_one(self, school):
        counts = []
        actions = []
        for joining in (1, 4):
            for _ in range(joining):
                learner = school.join()
                school.ask(learner)
                actions.append(school.act(learner))
            needs = school.needs()
            with CaptureQueriesContext(connection) as queries:
                following.follow(
                    actions=actions, classroom=school.classroom, needs=needs, at=school.now
                )
            counts.append(len(queries))

        assert counts[0] == counts[1] < 10


class TestQueries:
    def test_are_as_many_for_many_learners_and_classes_of_a_course_as_for_few(self, school):
        def ask():
            cache.clear_all()
            classes = list(school.teacher.classes_taught.select_related("course"))
            with CaptureQueriesContext(connection) as queries:
                found = selectors.find_needs(classrooms=classes, at=school.now)
            return len(queries), sum(map(len, found.values()))

        assignment = school.assign()
        counts = []
        for joining in (2, 6):
            for number in range(joining):
                learner = school.join()
                school.ask(learner)
                school.answer(learner, 6, is_correct=False, misconception="subtracted")
                school.decide(learner, stuck_on=[school.concept()])
                school.skim(learner, 4)
                school.forecast(learner, assignment)
                if number:
                    school.act(learner)
            counts.append(ask())

        assert counts[0][0] == counts[1][0] < 45
        assert 0 < counts[0][1] < counts[1][1]
