"""What a teacher finds on their pages."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.factories import (
    answer_current,
    make_learner,
    set_scheduling,
    start_session,
)
from tests.tutor.pages import text
from tutor.classes import services as class_services
from tutor.common import clock
from tutor.scheduling.models import Decision
from tutor.teacher import receipts
from tutor.tracing import selectors as tracing_selectors

pytestmark = pytest.mark.django_db


def join(classroom, *, answers: int = 2, name: str = ""):
    """Put a learner with some answers into the class."""
    learner = make_learner(organisation=classroom.organisation, name=name)
    class_services.enrol(classroom=classroom, learners=[learner])
    session = start_session(learner=learner, course=classroom.course, at=clock.now())
    for _ in range(answers):
        answer_current(session, at=clock.now())
    return learner


def masteries_of(learner, classroom):
    course = classroom.course
    course.refresh_from_db()
    return tracing_selectors.get_masteries(learner=learner, course=course, at=clock.now())


class TestClassroom:
    def address(self, classroom):
        return reverse("teacher:classroom", args=[classroom.public_id])

    def test_takes_as_many_queries_for_many_learners_as_for_one(self, classroom, client):
        join(classroom)
        client.get(self.address(classroom))
        with CaptureQueriesContext(connection) as for_one:
            client.get(self.address(classroom))
        for _ in range(5):
            join(classroom)

        with CaptureQueriesContext(connection) as for_six:
            shown = client.get(self.address(classroom))

        assert len(shown.context["grid"].rows) == 6
        assert len(for_six) == len(for_one)

    def test_states_each_band_in_words_with_its_answers(self, classroom, client):
        learner = join(classroom, answers=4)

        shown = client.get(self.address(classroom))

        for mastery in masteries_of(learner, classroom).values():
            said = f'<span class="hidden">{mastery.band.label}, </span>'
            n = mastery.evidence_n
            number = f"<b>{n}</b>" if n else '<span class="hidden">no answers</span>'
            assert f'<td class="{mastery.band.value}">{said}{number}</td>' in text(shown)

    def test_hides_every_name_for_a_projector(self, classroom, client):
        join(classroom, name="Ada Okafor")

        assert "Ada Okafor" in text(client.get(self.address(classroom)))
        hidden = text(client.get(f"{self.address(classroom)}?names=hidden"))
        assert "Ada" not in hidden
        assert "Learner 1" in hidden

    def test_without_learners_says_so(self, classroom, client):
        assert "Nobody is in this class yet" in text(client.get(self.address(classroom)))


class TestLearner:
    def test_lists_each_decision_with_its_answer_and_receipt(self, classroom, client):
        learner = join(classroom, answers=3)

        shown = client.get(
            reverse("teacher:learner", args=[classroom.public_id, learner.pseudonym])
        )

        assert len(shown.context["lines"]) == Decision.objects.filter(learner=learner).count() == 4
        assert all(line.sentence.endswith(".") for line in shown.context["lines"])
        assert text(shown).count("✓ right") == 3

    def test_takes_as_many_queries_for_many_decisions_as_for_few(self, classroom, client):
        few, many = join(classroom, answers=1), join(classroom, answers=9)
        counts = []
        for learner in (few, many):
            address = reverse("teacher:learner", args=[classroom.public_id, learner.pseudonym])
            client.get(address)
            with CaptureQueriesContext(connection) as queries:
                client.get(address)
            counts.append(len(queries))

        assert counts[0] == counts[1]

    @pytest.mark.parametrize("number", ["0", "99", "x", "-1"])
    def test_of_a_page_that_is_not_there_shows_one_that_is(self, classroom, client, number):
        learner = join(classroom)
        address = reverse("teacher:learner", args=[classroom.public_id, learner.pseudonym])

        assert client.get(f"{address}?page={number}").status_code == 200


class TestReceipt:
    def test_shows_the_question_the_answer_and_the_chances(self, classroom, client):
        learner = join(classroom)
        for decision in Decision.objects.filter(learner=learner):
            shown = client.get(
                reverse(
                    "teacher:receipt",
                    args=[classroom.public_id, learner.pseudonym, decision.public_id],
                )
            )

            receipt = shown.context["receipt"]
            assert shown.status_code == 200
            assert sum(arm.is_chosen for arm in receipt.arms) == 1
            assert sum(candidate.is_chosen for candidate in receipt.candidates) == 1
            assert "(chosen)" in text(shown)
            assert receipt.item is not None

    def test_says_of_every_other_concept_why_not(self, classroom, client):
        set_scheduling(classroom)
        learner = join(classroom, answers=4)
        told = []
        for decision in Decision.objects.filter(learner=learner, item_version__isnull=False):
            receipt = receipts.explain(
                learner=learner, classroom=classroom, public_id=decision.public_id
            )
            for arm in receipt.arms:
                assert bool(arm.why_not) != arm.is_chosen
            told += [arm.why_not for arm in receipt.arms if not arm.is_chosen]

        assert len(set(told)) > 1

    def test_says_what_else_decided(self, classroom, client):
        set_scheduling(classroom, kill_switch=True)
        learner = join(classroom)
        decision = Decision.objects.filter(learner=learner).latest("pk")

        shown = client.get(
            reverse(
                "teacher:receipt",
                args=[classroom.public_id, learner.pseudonym, decision.public_id],
            )
        )

        assert "Choosing was stopped for the class, so your order was followed." in text(shown)
        assert "the class has not opted in" in text(shown)

    def test_gives_the_record_as_it_is_stored(self, classroom, client):
        learner = join(classroom)
        decision = Decision.objects.filter(learner=learner).earliest("pk")

        found = client.get(
            reverse(
                "teacher:receipt-record",
                args=[classroom.public_id, learner.pseudonym, decision.public_id],
            )
        ).json()

        assert found["receipt"] == decision.receipt
        assert found["propensity"] == decision.propensity
        assert found["learner"] == str(learner.pseudonym)
        assert [answer["attempt"] for answer in found["answers"]] == [1]


@pytest.mark.parametrize(
    ("own", "chosen", "said"),
    [
        ({"gain": 0.2, "order": 0.1}, {"gain": 0.9, "order": 0.0}, "less to learn a minute"),
        ({"gain": 0.9, "recency": -0.5}, {"gain": 0.9, "recency": 0.0}, "practised more recently"),
        ({"gain": 0.5}, {"gain": 0.5}, "about as good; the draw decided"),
        ({"gain": 0.9}, {"gain": 0.5}, "more to learn a minute; the draw decided"),
        # What decided has no words: nothing is said that is not so.
        (
            {"success": 0.1, "gain": 0.6},
            {"success": 0.9, "gain": 0.5},
            "ranked lower by the policy",
        ),
        ({}, {}, "about as good"),
    ],
)
def test_why_not_names_what_most_told_two_concepts_apart(own, chosen, said):
    apart = sum(own.values()) - sum(chosen.values())

    assert receipts._why_not(own, chosen, apart=apart, is_drawn=True).startswith(said)
    assert "draw" not in receipts._why_not(own, chosen, apart=apart, is_drawn=False)
