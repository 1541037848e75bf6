"""The class's activity, its concepts, its questions, and a learner's own page."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.factories import (
    AT,
    answer_current,
    make_class,
    make_course,
    make_learner,
    make_organisation,
    make_user,
    start_session,
)
from tests.tutor.responses.test_tallies import write
from tutor.classes import services as class_services
from tutor.classes.errors import NoteUnusable
from tutor.classes.models import LearnerNote
from tutor.common import clock
from tutor.common.errors import NotVisible
from tutor.scheduling import ruling
from tutor.scheduling.models import StuckRelease
from tutor.scheduling.rule_values import Order
from tutor.teacher import activity, week_charts
from tutor.teacher.week_charts import wilson

pytestmark = pytest.mark.django_db

NOW = AT + dt.timedelta(days=4)


@pytest.fixture(autouse=True)
def _the_same_moment(monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOW)


@pytest.fixture
def classroom(client):
    organisation = make_organisation()
    teacher = make_user(organisation=organisation, role="teacher")
    client.force_login(teacher)
    return make_class(course=make_course(organisation=organisation), users=[teacher])


def join(classroom, *, name: str = "", answers: int = 0):
    learner = make_learner(organisation=classroom.organisation, name=name)
    class_services.enrol(classroom=classroom, learners=[learner])
    if answers:
        session = start_session(learner=learner, course=classroom.course)
        for number in range(answers):
            answer_current(session, right=number % 2 == 0)
    return learner


def version(classroom, slug):
    return classroom.course.items.get(slug=slug).current


def address(name, classroom, *more):
    return reverse(f"teacher:{name}", args=[classroom.public_id, *more])


def text(response) -> str:
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


class TestQueries:
    """As many for a class of many as for a class of few."""

    @pytest.mark.parametrize(
        ("name", "more"),
        [
            ("activity", ()),
            ("concept", ("adding",)),
            ("item", ("add-two",)),
            ("export-csv", ("learners",)),
            ("export-csv", ("wrong-answers",)),
            ("export-xlsx", ()),
        ],
    )
    def test_are_as_many_for_six_learners_as_for_one(self, classroom, client, name, more):
        counts = []
        for joining in (1, 5):
            for _ in range(joining):
                learner = join(classroom, answers=3)
                write(
                    learner,
                    version(classroom, "add-two"),
                    is_correct=False,
                    misconception="subtracted",
                )
            client.get(address(name, classroom, *more))
            with CaptureQueriesContext(connection) as queries:
                client.get(address(name, classroom, *more))
            counts.append(len(queries))

        assert counts[0] == counts[1] < 40


class TestConcept:
    def test_groups_everybody_once_by_band(self, classroom, client):
        learners = [join(classroom, answers=n) for n in (0, 2, 6)]

        shown = client.get(address("concept", classroom, "adding"))

        view, grid = shown.context["view"], shown.context["grid"]
        members = [(group.band, row) for group in view.groups for row, _ in group.members]
        assert {row.learner for _, row in members} == set(learners)
        assert len(members) == 3
        assert all(grid.cell(row, view.column).band is band for band, row in members)
        assert sum(view.column.counts.values()) == 3

    def test_counts_wrong_answers_that_are_the_same_idea_together(self, classroom, client):
        first, second = join(classroom), join(classroom)
        two, even = version(classroom, "add-two"), version(classroom, "add-even")
        for learner, seed in ((first, 1), (first, 2), (second, 3)):
            write(
                learner,
                two,
                seed=seed,
                is_correct=False,
                answer={"text": str(seed)},
                misconception="subtracted",
            )
        write(first, two, seed=1, is_correct=False, answer={"text": "99"})
        write(second, even, is_correct=False, answer={"choices": []})
        # A second try, a right one and one of long ago are no mistakes of this time.
        write(first, two, is_correct=False, attempt=2, misconception="subtracted")
        write(first, two, is_correct=True)
        write(second, two, is_correct=False, answered_at=AT - dt.timedelta(days=400))

        mistakes = client.get(address("concept", classroom, "adding")).context["view"].mistakes

        assert mistakes.total == 5
        common = mistakes.answers[0]
        assert (common.item, common.learners, common.answers, common.variants) == (
            "add-two",
            2,
            3,
            3,
        )
        assert common.misconception == "Subtracted instead"
        assert [(one.learners, one.answers) for one in mistakes.answers[1:]] == [(1, 1), (1, 1)]
        [idea] = mistakes.ideas
        assert (idea.slug, idea.learners, idea.answers) == ("subtracted", 2, 3)

    def test_counts_a_choice_once_in_whatever_order_it_stood_or_was_sent(self, classroom, client):
        even, drawn = version(classroom, "add-even"), version(classroom, "add-choose")
        for seed in (1, 2, 3):
            learner = join(classroom)
            write(learner, drawn, seed=seed, is_correct=False, answer={"choice": "x"})
            sent = ["a", "b"] if seed % 2 else ["b", "a"]
            write(learner, even, seed=seed, is_correct=False, answer={"choices": sent})

        mistakes = client.get(address("concept", classroom, "adding")).context["view"].mistakes

        told = [(one.item, one.learners, one.answers, one.variants) for one in mistakes.answers]
        # With another seed a question with numbers is another question.
        assert told == [("add-even", 3, 3, 1), *3 * [("add-choose", 1, 1, 1)]]

    @pytest.mark.parametrize("name", ["concept", "item"])
    def test_what_learners_typed_is_not_projected(self, classroom, client, name):
        learner = join(classroom)
        typed = {"text": "Ada was here"}
        write(learner, version(classroom, "add-two"), is_correct=False, answer=typed)
        there = address(name, classroom, {"concept": "adding", "item": "add-two"}[name])

        assert "Ada was here" in text(client.get(there))
        hidden = text(client.get(there, {"names": "hidden"}))

        assert "Ada was here" not in hidden
        assert "No wrong answer" not in hidden
        assert "left out while names are hidden" in hidden

    def test_what_learners_typed_is_shown_as_typed(self, classroom, client):
        write(
            join(classroom),
            version(classroom, "add-two"),
            is_correct=False,
            answer={"text": "<script>*a*"},
        )

        shown = text(client.get(address("concept", classroom, "adding")))

        assert "&lt;script&gt;*a*" in shown

    def test_that_there_is_not_is_not_found(self, classroom, client):
        assert client.get(address("concept", classroom, "nothing")).status_code == 404
        assert client.get(address("item", classroom, "nothing")).status_code == 404


class TestItem:
    def test_shows_the_question_its_key_and_its_own_mistakes(self, classroom, client):
        learner = join(classroom)
        write(learner, version(classroom, "add-choose"), is_correct=False, answer={"choice": "x"})
        write(learner, version(classroom, "add-two"), is_correct=False)

        shown = client.get(address("item", classroom, "add-choose"))

        view = shown.context["view"]
        assert (view.tally.answers, view.mistakes.total) == (1, 1)
        assert "(right)" in text(shown)
        assert "each learner gets numbers of their own" in text(shown)


class TestActivity:
    def test_says_who_did_how_much_and_when(self, classroom, client):
        learner, idle = join(classroom, name="Ada Okafor"), join(classroom, name="Zed Idle")
        two = version(classroom, "add-two")
        for days, right in ((0, True), (0, False), (2, True), (-7, True)):
            at = AT + dt.timedelta(days=days)
            write(learner, two, is_correct=right, answered_at=at, elapsed_ms=60_000)
        write(learner, two, hints_seen=2, answered_at=AT, elapsed_ms=900_000)

        did = client.get(address("activity", classroom)).context["activity"]

        lines = {line.row.learner: line for line in did.learners}
        own = lines[learner]
        assert (own.tally.answers, own.tally.right, own.tally.helped) == (5, 3, 1)
        # 4 minutes, and five of the fifteen that nobody was seen at.
        assert (own.tally.minutes, own.days) == (9, 3)
        assert lines[idle].tally.answers == 0
        assert did.idle == 1
        assert [(week.answers, week.right, week.learners) for week in did.weeks[-2:]] == [
            (1, 1, 1),
            (4, 2, 1),
        ]
        assert len(did.weeks) == 10
        [(slug, _, tally)] = did.concepts
        assert (slug, tally.answers) == ("adding", 5)

    def test_of_an_assignment_is_that_on_its_topics(self, classroom, client):
        learner = join(classroom)
        write(learner, version(classroom, "add-two"), is_correct=False, answer={"text": "9"})
        name = classroom.course.concepts.get(slug="naming")
        about = classroom.course.items.filter(current__concept_links__concept=name).first()
        write(learner, about.current, is_correct=False, answer={"text": "seven"})
        later, first = (
            class_services.create_assignment(
                classroom=classroom,
                title=title,
                opens_at=AT + dt.timedelta(days=days),
                concepts=[name],
            )
            for title, days in (("Later", 2), ("First", 1))
        )
        query = {"topics": str(first.public_id)}

        shown = client.get(address("activity", classroom), query)
        rows = client.get(address("export-csv", classroom, "wrong-answers"), query)

        did = shown.context["activity"]
        assert did.whole.answers == did.weeks[-1].answers == 1
        assert [line.tally.answers for line in did.learners] == [1]
        assert [(slug, tally.answers) for slug, _, tally in did.concepts] == [("naming", 1)]
        assert "seven" in rows.content.decode()
        assert "add-two" not in rows.content.decode()
        # The page says so, and offers the others in the order they open.
        assert list(shown.context["assignments"]) == [first, later]
        assert f'value="{first.public_id}" selected' in text(shown)

    def test_does_not_count_awards_after_its_last_day(self, classroom, client, monkeypatch):
        learner = join(classroom)
        concept = classroom.course.concepts.first().pk
        days = [(learner.pk, concept, AT + dt.timedelta(days=number)) for number in (0, 2)]
        monkeypatch.setattr(activity.tracing_awards, "list_award_days", lambda **_: days)
        last = {"from": AT.date().isoformat(), "to": (AT.date()).isoformat()}

        did = client.get(address("activity", classroom), last).context["activity"]

        assert [week.awards for week in did.weeks] == [1]

    def test_of_a_band_in_which_nobody_is_says_which(self, classroom, client):
        join(classroom)

        shown = text(
            client.get(address("activity", classroom), {"concept": "adding", "band": "mastered"})
        )

        assert "Nobody is in this class yet" not in shown
        name = classroom.course.concepts.get(slug="adding").name
        assert f"in {name}. <a" in shown

    def test_of_a_class_of_nobody_says_so(self, classroom, client):
        assert "Nobody is in this class yet" in text(client.get(address("activity", classroom)))


class TestWeekCharts:
    def week(self, answers, right, awards=0):
        return activity.Week(dt.date(2026, 3, 2), answers, right, 0, 1, awards)

    def test_draw_parts_in_proportion(self):
        drawn = week_charts.draw([self.week(10, 5), self.week(0, 0), self.week(20, 20)])

        whole = drawn.bottom - week_charts.TOP
        assert [bar.height for bar in drawn.bars] == [whole / 2, 0, whole]
        assert [bar.part_height for bar in drawn.bars] == [whole / 4, 0, whole]
        # A week without answers has no share.
        assert len(drawn.whiskers) == 2

    @pytest.mark.parametrize(("most", "top"), [(0, 4), (4, 4), (5, 10), (11, 20), (41, 100)])
    def test_axes_end_at_round_numbers(self, most, top):
        assert week_charts.draw([self.week(most, 0)]).bar_rules[-1][1] == top

    def test_intervals_are_wilsons(self):
        # R: prop.test(7, 25, correct=FALSE)$conf.int
        assert wilson(7, 25) == pytest.approx((0.1428, 0.4758), abs=5e-5)
        assert wilson(0, 5)[0] == 0.0
        assert wilson(5, 5)[1] == 1.0


class TestLearnerPage:
    def test_tells_how_each_concept_went(self, classroom, client):
        learner = join(classroom, answers=4)
        page = client.get(address("learner", classroom, learner.pseudonym))
        line, tally = page.context["view"].practised[0]

        shown = client.get(address("learner-concept", classroom, learner.pseudonym, line.slug))

        assert line.points
        assert tally.answers == sum(point.answers for point in line.points)
        assert "How it went" in text(shown)

    def test_of_a_concept_without_answers_says_so(self, classroom, client):
        learner = join(classroom)

        shown = client.get(address("learner-concept", classroom, learner.pseudonym, "naming"))

        assert "No question on this has been answered yet" in text(shown)

    def test_says_what_was_done_about_the_learner_and_by_whom(self, classroom, client):
        learner, other = join(classroom), join(classroom)
        teacher = classroom.teachers.get()
        for person, number in ((learner, 7), (other, 11)):
            ruling.set_rule(
                classroom=classroom,
                order=Order(kind="length", value=number, learners=(person,), reason="tired"),
                actor=teacher,
                at=AT,
            )

        history = client.get(address("learner", classroom, learner.pseudonym)).context["history"]

        assert [event.what for event in history] == [
            "Came into the class",
            "Rule set: At most 7 questions a sitting",
        ]
        assert (history[1].who, history[1].why) == (teacher.display_name, "tired")

    def test_does_not_say_what_may_have_been_written_in_another_class(self, classroom, client):
        learner = join(classroom)
        teacher = classroom.teachers.get()
        administrator = make_user(organisation=classroom.organisation, role="administrator")
        other = make_class(course=classroom.course, users=[administrator], name="8a")
        class_services.admit_users(classroom=classroom, users=[administrator])
        for person, said in ((teacher, "talked it through"), (administrator, "by the head")):
            StuckRelease.objects.create(
                learner=learner,
                concept=classroom.course.concepts.first(),
                evidence_n=9,
                at=AT,
                released_by=person,
                note=said,
            )

        def released():
            page = client.get(address("learner", classroom, learner.pseudonym))
            return sorted(e.why for e in page.context["history"] if e.what.startswith("Let go"))

        assert released() == ["by the head", "talked it through"]
        class_services.enrol(classroom=other, learners=[learner])
        assert released() == ["", "talked it through"]
        class_services.admit_users(classroom=other, users=[teacher])
        assert released() == ["", ""]


class TestNotes:
    def write(self, client, classroom, learner, said):
        return client.post(address("note", classroom, learner.pseudonym), {"text": said})

    def test_are_kept_and_shown_to_the_classs_teachers(self, classroom, client):
        learner = join(classroom)
        colleague = make_user(organisation=classroom.organisation, role="teacher")
        class_services.admit_users(classroom=classroom, users=[colleague])

        self.write(client, classroom, learner, " Needs <quiet>.\r\nAsk again. ")

        client.force_login(colleague)
        shown = text(client.get(address("learner", classroom, learner.pseudonym)))
        assert "Needs &lt;quiet&gt;." in shown
        assert LearnerNote.objects.get().at == NOW

    def test_are_nobody_elses(self, classroom, client):
        learner = join(classroom)
        self.write(client, classroom, learner, "Needs quiet.")
        administrator = make_user(organisation=classroom.organisation, role="administrator")
        elsewhere = make_user(organisation=classroom.organisation, role="teacher")
        other = make_class(course=classroom.course, users=[elsewhere], name="8a")
        class_services.enrol(classroom=other, learners=[learner])

        for person, room in ((administrator, classroom), (elsewhere, other)):
            client.force_login(person)
            shown = text(client.get(address("learner", room, learner.pseudonym)))
            assert "Needs quiet" not in shown
        client.force_login(administrator)
        assert self.write(client, classroom, learner, "Mine").status_code == 404
        client.force_login(learner.user)
        assert self.write(client, classroom, learner, "Mine").status_code == 404
        assert LearnerNote.objects.count() == 1

    @pytest.mark.parametrize("said", ["", " \n", "x" * 2001])
    def test_that_say_nothing_or_too_much_are_refused_with_what_was_written(
        self, classroom, client, said
    ):
        learner = join(classroom)

        refused = self.write(client, classroom, learner, said)

        assert refused.status_code == NoteUnusable.status
        assert 'role="alert"' in refused.content.decode()
        assert said.strip() in refused.content.decode()
        # What else is on the page leads to where it can be read.
        page = address("learner", classroom, learner.pseudonym)
        assert f'<form method="get" class="filters" action="{page}">' in refused.content.decode()
        assert not LearnerNote.objects.exists()

    def test_count_a_new_line_once_as_browsers_do(self, classroom, client):
        learner = join(classroom)

        self.write(client, classroom, learner, "ab\r\n" * 666)

        assert LearnerNote.objects.get().text == ("ab\n" * 666).strip()

    def test_are_about_learners_of_the_class(self, classroom):
        stranger = make_learner(organisation=classroom.organisation)

        with pytest.raises(NotVisible):
            class_services.write_note(
                classroom=classroom,
                learner=stranger,
                author=classroom.teachers.get(),
                text="Who?",
                at=NOW,
            )
