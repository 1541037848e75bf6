"""The commands about tracers and states."""

import io

import pytest
from django.core.management import CommandError, call_command

from tests.factories import SMALL_COURSE, make_course, make_learner, start_session
from tests.tutor.histories import all_equal, bulk_history
from tutor.content.models import Course
from tutor.registry import training
from tutor.tracing.models import LearnerState

pytestmark = pytest.mark.django_db


def run(*arguments):
    out, err = io.StringIO(), io.StringIO()
    call_command(*arguments, stdout=out, stderr=err)
    return out.getvalue() + err.getvalue()


@pytest.fixture
def learners(organisation, course):
    found = [make_learner(organisation=organisation) for _ in range(3)]
    for learner in found:
        bulk_history(learner=learner, course=course, size=12, seed=learner.pk)
    return found


class TestRebuildStates:
    def test_stores_what_the_log_gives(self, course, learners):
        text = run("rebuild_states")

        assert "folded 3 learners" in text
        assert all_equal(course) == {learner.pk: True for learner in learners}

    def test_check_finds_equal_states_and_stores_nothing(self, course, learners):
        run("rebuild_states")
        before = list(LearnerState.objects.values())

        assert "3 of 3 states" in run("rebuild_states", "--check", "--course", "small")
        assert list(LearnerState.objects.values()) == before

    def test_check_names_who_differs(self, course, learners):
        run("rebuild_states")
        spoiled = LearnerState.objects.get(learner=learners[1])
        raw = bytearray(spoiled.state)
        raw[-1] ^= 1
        LearnerState.objects.filter(pk=spoiled.pk).update(state=bytes(raw))
        out, err = io.StringIO(), io.StringIO()

        with pytest.raises(CommandError, match="1 states differ") as caught:
            call_command("rebuild_states", "--check", stdout=out, stderr=err)

        assert caught.value.returncode == 1
        assert str(learners[1].pseudonym) in err.getvalue()
        assert str(learners[0].pseudonym) not in err.getvalue()
        assert bytes(LearnerState.objects.get(pk=spoiled.pk).state) == bytes(raw)

    def test_check_misses_no_state_that_is_not_there(self, course, learners):
        run("rebuild_states")
        LearnerState.objects.filter(learner=learners[0]).delete()

        with pytest.raises(CommandError):
            run("rebuild_states", "--check")

    def test_removes_a_state_that_no_answer_stands_behind(self, organisation, course, learners):
        run("rebuild_states")
        ghost = LearnerState.objects.get(learner=learners[0])
        LearnerState.objects.create(
            learner=make_learner(organisation=organisation),
            tracer=ghost.tracer,
            state=ghost.state,
        )
        with pytest.raises(CommandError):
            run("rebuild_states", "--check")

        run("rebuild_states")

        assert LearnerState.objects.count() == 3
        run("rebuild_states", "--check")

    def test_knows_the_courses(self, course):
        with pytest.raises(CommandError, match="There are: small"):
            run("rebuild_states", "--course", "smal")


class TestRefitTracer:
    def test_keeps_the_tracer_while_answers_are_few(self, course, learners):
        assert "v1 stays" in run("refit_tracer", "--course", "small")

    def test_makes_what_was_learnt_live(self, organisation, course, monkeypatch):
        monkeypatch.setattr(training, "MINIMUM_ANSWERS", 100)
        for number in range(training.MINIMUM_LEARNERS):
            learner = make_learner(organisation=organisation)
            bulk_history(learner=learner, course=course, size=15, seed=number)

        assert "v2 is live" in run("refit_tracer", "--course", "small")
        assert "v2" in run("rebuild_states", "--check")

    def test_says_that_there_is_no_course(self):
        with pytest.raises(CommandError, match="no course yet"):
            run("refit_tracer")


class TestLoadCourse:
    def test_makes_a_course_that_can_be_practised(self, organisation):
        text = run("load_course", str(SMALL_COURSE), "--organisation", organisation.slug)

        assert "10 new items" in text
        course, learner = Course.objects.get(), make_learner(organisation=organisation)
        assert start_session(learner=learner, course=course).finished_at is None

    def test_changes_nothing_the_second_time(self, organisation):
        arguments = ("load_course", str(SMALL_COURSE), "--organisation", organisation.slug)
        run(*arguments)
        revision = Course.objects.get().revision

        assert "0 new items, 0 new versions, 0 retired" in run(*arguments)
        assert Course.objects.get().revision == revision

    def test_dry_run_stores_nothing(self, organisation):
        run("load_course", str(SMALL_COURSE), "--organisation", organisation.slug, "--dry-run")

        assert not Course.objects.exists()

    def test_names_every_problem(self, organisation, tmp_path):
        (tmp_path / "course.yaml").write_text("slug: Not A Slug\ntitle: x\nconcepts: []\n")

        with pytest.raises(CommandError, match="Not A Slug"):
            run("load_course", str(tmp_path), "--organisation", organisation.slug)

    def test_knows_the_organisations(self, organisation):
        with pytest.raises(CommandError, match=organisation.slug):
            run("load_course", str(SMALL_COURSE), "--organisation", "nowhere")


def test_a_second_course_is_told_apart_by_its_organisation(course, organisation):
    make_course(organisation=type(organisation).objects.create(slug="other", name="Other"))

    assert run("rebuild_states", "--course", "small", "--organisation", "other").count("small") == 1
    assert run("rebuild_states").count("folded") == 2
