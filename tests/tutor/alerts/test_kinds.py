"""Each reason to call a teacher: it appears, is acted on, clears itself, and comes back."""

import datetime as dt

import pytest

from tests.tutor.alerts.conftest import DAY, MINUTE
from tutor.alerts import wording
from tutor.scheduling import steering

pytestmark = pytest.mark.django_db


def say(school, learner=None):
    alert = school.alert(learner)
    return wording.say(alert.kind, alert.facts, at=school.now)


class TestHelp:
    def test_calls_until_somebody_acts_and_again_when_asked_again(self, school):
        ada = school.join()
        school.ask(ada, "the sign?")
        assert school.kinds(ada) == ["help"]
        assert school.alert(ada).text == "the sign?"
        assert "20 minutes ago at “Adding”" in say(school, ada)

        school.act(ada)
        assert school.kinds(ada) == []
        school.wait(days=2)
        assert school.kinds(ada) == []
        school.ask(ada)

        assert school.kinds(ada) == ["help"]

    def test_that_came_while_the_page_was_open_is_not_covered(self, school):
        ada = school.join()
        school.ask(ada)
        seen_at = school.now
        school.wait(minutes=10)
        school.ask(ada, "still lost", ago=MINUTE)

        school.act(ada, seen_at=seen_at)

        assert school.kinds(ada) == ["help"]
        assert school.alert(ada).facts["count"] == 1

    def test_clears_itself_after_two_weeks(self, school):
        ada = school.join()
        school.ask(ada)
        school.wait(days=15)

        assert school.kinds(ada) == []

    def test_whoever_waits_longest_comes_first(self, school):
        ada, ben = school.join(), school.join()
        school.ask(ada, ago=5 * MINUTE)
        school.ask(ben, ago=50 * MINUTE)

        assert [need.learner for need in school.needs()] == [ben, ada]


class TestStuck:
    def test_is_told_by_the_newest_decision_and_ends_when_they_go_on(self, school):
        ada = school.join()
        adding = school.concept()
        school.decide(ada, stuck_on=[adding])
        assert school.kinds(ada) == ["stuck"]
        assert "“Adding”" in say(school, ada)

        school.decide(ada, ago=MINUTE)

        assert school.kinds(ada) == []

    def test_rests_once_somebody_acted_and_stands_again_while_they_wait(self, school):
        ada = school.join()
        school.decide(ada, stuck_on=[school.concept()])
        school.act(ada)
        school.wait(days=4)
        assert school.kinds(ada) == []

        school.wait(days=2)

        assert school.kinds(ada) == ["stuck"]

    def test_another_topic_calls_at_once(self, school):
        ada = school.join()
        school.decide(ada, stuck_on=[school.concept()])
        school.act(ada)
        school.wait(hours=2)
        other = school.course.concepts.exclude(slug="adding").first()
        school.decide(ada, stuck_on=[school.concept(), other])

        assert school.kinds(ada) == ["stuck"]

    def test_is_over_when_they_are_let_go_on(self, school):
        ada = school.join()
        adding = school.concept()
        school.decide(ada, stuck_on=[adding])

        steering.release_learner(
            learner=ada,
            course=school.course,
            concept_id=adding.pk,
            actor=school.teacher,
            at=school.now,
            note="",
        )

        assert school.kinds(ada) == []


class TestStreak:
    def test_counts_the_newest_first_answers_in_a_row(self, school):
        ada = school.join()
        school.answer(ada, 2, ago=dt.timedelta(hours=2))
        school.answer(ada, 4, is_correct=False)
        assert school.kinds(ada) == []

        school.answer(ada, 1, ago=MINUTE, is_correct=False)
        assert school.kinds(ada) == ["streak"]
        assert "The last 5 first answers were wrong, most of them on “Adding”" in say(school, ada)
        # Second tries, and answers that do not count, neither add to it nor end it.
        school.answer(ada, 1, ago=MINUTE, attempt=2)
        school.answer(ada, 1, ago=MINUTE, is_pilot=True)
        assert school.alert(ada).facts["wrong"] == 5

        school.answer(ada, 1, ago=MINUTE / 2)

        assert school.kinds(ada) == []

    def test_after_somebody_acted_only_new_answers_count(self, school):
        ada = school.join()
        school.answer(ada, 8, is_correct=False)
        school.act(ada)
        school.wait(hours=1)
        school.answer(ada, 4, ago=MINUTE, is_correct=False)
        assert school.kinds(ada) == []

        school.answer(ada, 1, ago=MINUTE / 2, is_correct=False)

        assert school.kinds(ada) == ["streak"]
        assert school.alert(ada).facts["wrong"] == 5

    def test_is_forgotten_after_a_week(self, school):
        ada = school.join()
        school.answer(ada, 8, is_correct=False)
        school.wait(days=8)

        assert school.kinds(ada) == []


class TestRisk:
    def test_tells_the_chance_what_speaks_against_it_and_the_change(self, school):
        ada = school.join()
        school.forecast(ada, school.assign(), chance=0.23)

        assert school.kinds(ada) == ["risk"]
        said = say(school, ada)
        assert "2 of 3 topics left; the chance to master them by then is 23 %" in said
        assert "last answer 4 days ago" in said
        assert "6 days later" in school.alert(ada).facts["change"]

    def test_rests_and_stands_again_by_a_later_nights_forecast(self, school):
        ada = school.join()
        assignment = school.assign()
        school.forecast(ada, assignment)
        school.act(ada)
        school.wait(days=3)
        school.forecast(ada, assignment)
        assert school.kinds(ada) == []

        school.wait(days=3)
        school.forecast(ada, assignment)

        assert school.kinds(ada) == ["risk"]

    def test_may_be_narrowed_to_small_chances(self, school):
        ada = school.join()
        school.forecast(ada, school.assign(), chance=0.4)
        school.limits(risk_percent=30)

        assert school.kinds(ada) == []

    def test_of_a_near_date_comes_before_wrong_answers(self, school):
        ada, ben, cy = school.join(), school.join(), school.join()
        school.answer(ada, 6, is_correct=False)
        school.forecast(ben, school.assign(due_at=school.now + 2 * DAY))
        school.forecast(cy, school.assign())

        assert [need.learner for need in school.needs()] == [ben, ada, cy]


class TestQuiet:
    def test_needs_an_assignment_and_classmates_who_practise(self, school):
        ada, ben = school.join(), school.join()
        school.answer(ada, ago=9 * DAY)
        school.answer(ben, ago=DAY)
        assert school.kinds(ada) == []

        school.assign()

        assert school.kinds(ada) == ["quiet"]
        assert "No answer for 9 days, while “Everything” runs and 1 of 1 others" in say(school, ada)
        school.wait(days=9)
        # Nobody practises any more: holidays.
        assert school.needs() == []

    def test_ends_with_an_answer(self, school):
        ada, ben = school.join(), school.join()
        school.assign()
        school.answer(ben, ago=DAY)
        assert school.kinds(ada) == ["quiet"]

        school.answer(ada, ago=MINUTE)

        assert school.kinds(ada) == []

    def test_is_not_told_of_newcomers_nor_of_those_who_have_mastered_it(self, school):
        new, ben = school.join(ago=2), school.join()
        school.assign()
        school.answer(ben, ago=DAY)

        assert school.kinds(new) == []
        # The same with longer ago calls: else nothing would be shown by the line above.
        assert school.kinds(school.join()) == ["quiet"]

    def test_counts_anew_from_when_somebody_acted(self, school):
        ada, ben = school.join(), school.join()
        school.assign()
        school.answer(ben, ago=DAY)
        school.act(ada)
        school.wait(days=4)
        school.answer(ben, ago=DAY)
        assert school.kinds(ada) == []

        school.wait(days=1)

        assert school.kinds(ada) == ["quiet"]


class TestHints:
    def test_clicked_through_are_told_from_those_that_were_read(self, school):
        ada, ben = school.join(), school.join()
        school.skim(ada, 4)
        school.skim(ben, 4, seconds=9)

        assert school.kinds(ada) == ["hints"]
        assert school.kinds(ben) == []
        assert "4 of the last 4 answers came after hints" in say(school, ada)
        school.act(ada)
        assert school.kinds(ada) == []
        school.wait(hours=1)
        school.skim(ada, 4)

        assert school.kinds(ada) == ["hints"]


class TestGuessing:
    def test_is_fast_and_mostly_wrong(self, school):
        ada, ben = school.join(), school.join()
        for learner, right in ((ada, False), (ben, True)):
            for _ in range(3):
                school.answer(learner, 1, is_correct=right, elapsed_ms=900)
                school.answer(learner, 1, ago=MINUTE, is_correct=True, elapsed_ms=900)

        assert school.kinds(ada) == ["guessing"]
        # Whoever is quick and right knows it.
        assert school.kinds(ben) == []
        assert "6 of the last 6 answers came in less than 3 seconds; 3 of them" in say(school, ada)


class TestFading:
    def test_is_told_of_awards_whose_topics_are_back_at_learning(self, school):
        ada = school.join()
        slugs = list(school.course.concepts.values_list("slug", flat=True))
        school.award(ada, *slugs)
        school.limits(faded=2)

        # Nothing has been traced: no band is above.
        assert school.kinds(ada) == ["fading"]
        assert "3 of 3 awarded topics are back at “learning”" in say(school, ada)
        school.act(ada)
        assert school.kinds(ada) == []
        school.wait(days=6)

        assert school.kinds(ada) == ["fading"]


class TestTheClass:
    def test_shares_a_wrong_idea(self, school):
        members = [school.join() for _ in range(4)]
        for one in members[:2]:
            school.answer(one, is_correct=False, misconception="subtracted")
        assert school.kinds() == []

        school.answer(members[2], is_correct=False, misconception="subtracted")

        assert school.kinds() == ["idea"]
        assert "3 of 4 learners showed the same wrong idea" in say(school)
        assert "“Subtracted instead”, most often at “Adding”" in say(school)
        school.act()
        assert school.kinds() == []
        school.wait(days=1)
        for one in members[:3]:
            school.answer(one, is_correct=False, misconception="subtracted")
        assert school.kinds() == ["idea"]

    def test_a_topic_goes_wrong_unless_an_idea_says_why(self, school):
        members = [school.join() for _ in range(3)]
        for one in members:
            school.answer(one, 1, ago=DAY)
            school.answer(one, 3, is_correct=False)
        assert school.kinds() == ["topic"]

        for one in members:
            school.answer(one, 1, is_correct=False, misconception="subtracted")

        assert school.kinds() == ["idea"]

    def test_says_that_it_has_not_learnt_something(self, school):
        members = [school.join() for _ in range(3)]
        for one in members[:2]:
            school.put_off(one)
        assert school.kinds() == []

        school.put_off(members[2])

        assert school.kinds() == ["untaught"]
        assert "have not learnt “Adding” yet" in say(school)
        school.act()
        assert school.kinds() == []


class TestOneRow:
    def test_for_a_learner_with_the_most_urgent_reason_first(self, school):
        ada = school.join()
        school.answer(ada, 7, is_correct=False, elapsed_ms=500)
        school.ask(ada)

        [need] = school.needs()

        assert [alert.kind.value for alert in need.alerts] == ["help", "streak", "guessing"]
        assert set(need.evidence) == {"help", "streak", "guessing"}

    def test_what_is_switched_off_calls_nobody(self, school):
        ada = school.join()
        school.ask(ada)
        school.limits(quiet_days=6)
        assert school.kinds(ada) == ["help"]

        school.limits(off=["help"])

        assert school.kinds(ada) == []

    def test_put_off_comes_back_with_the_same_evidence(self, school):
        ada = school.join()
        school.answer(ada, 6, is_correct=False)
        school.act(ada, "snoozed", days=2)
        assert school.kinds(ada) == []

        school.wait(days=2, minutes=1)

        assert school.kinds(ada) == ["streak"]
        assert school.alert(ada).facts["wrong"] == 6

    def test_whoever_left_the_class_needs_nobody_here(self, school):
        ada = school.join()
        school.ask(ada)
        school.classroom.enrolments.filter(learner=ada).delete()

        assert school.needs() == []
