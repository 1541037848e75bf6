"""A tracer version comes into use and goes out of it: shadow fold, diff, switch, way back."""

import datetime as dt
from collections import Counter

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from tests.factories import (
    AT,
    make_course,
    make_learner,
    make_organisation,
    make_run,
    make_user,
)
from tests.tutor.histories import all_equal, bulk_history, tracer_of
from tutor.accounts.models import AuditEntry
from tutor.calibration import promoting as calibration_promoting
from tutor.registry import jobs
from tutor.registry import selectors as registry_selectors
from tutor.registry import services as registry_services
from tutor.registry.errors import (
    GatesFailed,
    NothingToRollBack,
    SwitchUnderWay,
    TracerOfAnotherCourse,
)
from tutor.registry.models import Promotion, SwitchJob, TracerVersion
from tutor.tracing import (
    adoption,
    comparing,
    holding,
    promoting,
    rebuilding,
    selectors,
    services,
    switching,
)
from tutor.tracing.models import LearnerState

pytestmark = pytest.mark.django_db

Kind, State = SwitchJob.Kind, SwitchJob.State


@pytest.fixture
def practised(organisation, course):
    """Three learners with histories, folded under the live tracer."""
    learners = [make_learner(organisation=organisation) for _ in range(3)]
    for learner in learners:
        bulk_history(learner=learner, course=course, size=30, seed=learner.pk)
    for _ in rebuilding.fold_everybody(tracer=tracer_of(course)):
        pass
    return learners


def another(course, *, intercept=-1.0) -> TracerVersion:
    """A fit that thinks less of everybody."""
    body = registry_selectors.get_live_tracer(course_id=course.pk).body
    offsets = dict.fromkeys(body["reference_offsets"], intercept)
    return registry_services.store_tracer(
        course=course,
        body={**body, "intercept": intercept, "reference_offsets": offsets},
        provenance={"fitted_on": "test", "seconds": 3.0},
    )


def live(course):
    return registry_selectors.get_live_tracer(course_id=course.pk)


def masteries(course, learner):
    tracer = tracer_of(course)
    found = selectors.list_masteries_under(tracer=tracer, learner_ids=[learner.pk], at=AT)
    return {pk: one.prob for pk, one in found[learner.pk].items()}


class TestPromote:
    def test_folds_first_shows_then_switches(self, course, practised):
        before = masteries(course, practised[0])
        version, seen = another(course), []

        def looking(found):
            seen.append(LearnerState.objects.filter(tracer=found).count())
            assert live(course) != found

        found = promoting.promote(course=course, tracer=version, at=AT, looking=looking)

        assert found == version == live(course)
        assert seen == [3]
        assert masteries(course, practised[0]) != before
        assert set(all_equal(course).values()) == {True}

    def test_refuses_another_course_s(self, course, organisation):
        other = make_course(organisation=make_organisation())

        with pytest.raises(TracerOfAnotherCourse):
            promoting.promote(course=course, tracer=live(other), at=AT)

    def test_a_failed_gate_needs_a_reason_which_is_kept(self, course, practised, monkeypatch):
        monkeypatch.setattr(registry_selectors, "list_failed_gates", lambda **_: ["gain"])
        version = another(course)

        with pytest.raises(GatesFailed, match="gain"):
            promoting.promote(course=course, tracer=version, at=AT)
        promoting.promote(course=course, tracer=version, at=AT, forced_because="A trial.")

        assert "A trial." in Promotion.objects.latest("pk").reason

    def test_one_switch_at_a_time(self, course):
        with holding.hold(course), pytest.raises(SwitchUnderWay):
            promoting.promote(course=course, tracer=another(course), at=AT)

    def test_begins_again_where_the_tracer_was_replaced_meanwhile(
        self, course, practised, monkeypatch
    ):
        version, third = another(course), another(course, intercept=-0.2)
        replaced = []

        def replace(_):
            if not replaced:
                replaced.append(True)
                registry_services.promote(course=course, tracer=third, at=AT, reason="refitted")

        promoting.promote(course=course, tracer=version, at=AT, looking=replace)

        reasons = Promotion.objects.order_by("pk").values_list("reason", flat=True)
        assert list(reasons) == ["prior", "refitted", "promoted"]
        assert live(course) == version


class TestWayBack:
    def test_restores_everybody_s_estimates(self, course, practised):
        first, before = live(course), [masteries(course, one) for one in practised]
        promoting.promote(course=course, tracer=another(course), at=AT)

        assert promoting.roll_back(course=course, at=AT) == first

        assert [masteries(course, one) for one in practised] == before
        assert set(all_equal(course).values()) == {True}

    def test_counts_the_answers_that_came_since(self, course, practised):
        promoting.promote(course=course, tracer=another(course), at=AT)
        start = AT + dt.timedelta(days=2)
        bulk_history(learner=practised[0], course=course, size=4, seed=77, start=start)

        promoting.roll_back(course=course, at=AT)

        assert set(all_equal(course).values()) == {True}

    def test_twice_leads_to_where_one_was(self, course, practised):
        version = another(course)
        promoting.promote(course=course, tracer=version, at=AT)

        for expected in (1, version.number):
            assert promoting.roll_back(course=course, at=AT).number == expected

    def test_leaves_the_calibration_in_use(self, course, practised):
        """Promoted after the fit: the way back is from the fit, not from the calibration."""
        version, run = another(course), make_run(course=course)
        promoting.promote(course=course, tracer=version, at=AT)
        calibration_promoting.promote(course=course, run=run, at=AT)
        assert live(course).body["intercept"] == -1.0

        found = promoting.roll_back(course=course, at=AT)

        assert found.body["calibration"]["run"] == run.pk
        assert found.body["intercept"] != -1.0
        assert found.provenance["based_on"] == 1

    def test_with_nothing_to_go_back_to(self, course):
        with pytest.raises(NothingToRollBack):
            promoting.roll_back(course=course, at=AT)


class TestDifference:
    def test_counts_bands_and_the_largest_shift(self, course, practised):
        version = another(course, intercept=-2.0)
        adoption.fold_in_shadow(course=course, version=version, at=AT)

        at = AT + dt.timedelta(hours=1)

        found = comparing.compare(course=course, version=version, at=at)

        was, now = (
            selectors.list_masteries_under(
                tracer=services.tracer_of_version(version=own, revision=course.revision),
                learner_ids=[one.pk for one in practised],
                at=at,
            )
            for own in (live(course), version)
        )
        pairs = {
            (learner, concept): (one, now[learner][concept])
            for learner, own in was.items()
            for concept, one in own.items()
            if one.evidence_n
        }
        shifts = [abs(one.prob - other.prob) for one, other in pairs.values()]
        bands = [(one.band, other.band) for one, other in pairs.values() if one.band != other.band]
        affected = {
            learner
            for (learner, _), (one, other) in pairs.items()
            if one.band != other.band or abs(one.prob - other.prob) > 0.05
        }
        assert (found.learners, found.learners_all) == (3, 3)
        assert found.affected == len(affected) > 0
        assert found.pairs == len(pairs)
        assert found.largest == max(shifts)
        assert found.typical == pytest.approx(sum(shifts) / len(shifts))
        assert found.bands == dict(Counter(bands))
        lines = comparing.describe(found)
        assert f"{len(affected)} of 3 learners are affected" in lines[0]
        assert len(lines) == 2 + len(set(bands))

    def test_of_equal_versions_is_nothing(self, course, practised):
        found = comparing.compare(course=course, version=live(course), at=AT)

        assert (found.affected, found.largest, found.bands) == (0, 0.0, {})

    def test_that_cannot_be_told_holds_nobody_up(self, course, practised, monkeypatch, caplog):
        monkeypatch.setattr(comparing, "compare", lambda **_: 1 / 0)

        promoting.promote(
            course=course,
            tracer=another(course),
            at=AT,
            looking=lambda version: comparing.explain(course=course, version=version, at=AT),
        )

        assert "ZeroDivisionError" in caplog.text

    def test_is_of_learners_drawn_where_there_are_many(self, monkeypatch):
        monkeypatch.setattr(comparing, "LEARNERS", 3)

        drawn = comparing.draw(list(range(100, 200)), seed=0)

        assert len(drawn) == 3
        assert drawn == sorted(drawn)


def the_job():
    return SwitchJob.objects.latest("pk")


class TestJobs:
    def ask(self, course, kind=Kind.PROMOTE, **fields):
        return jobs.ask_for_switch(course=course, kind=kind, at=AT, **fields)

    def test_a_look_changes_nothing_and_tells(self, course, practised):
        version, before = another(course), live(course)

        self.ask(course, Kind.COMPARE, tracer=version)
        assert switching.work(at=AT) == 1

        assert (the_job().state, the_job().hundredths) == (State.DONE, 100)
        assert "v1 → v2" in the_job().difference[0]
        assert live(course) == before

    def test_use_and_way_back(self, course, practised):
        version = another(course)

        self.ask(course, tracer=version)
        switching.work(at=AT)
        assert live(course) == version
        assert the_job().difference[0] == "v2 is in use."
        assert len(the_job().difference) > 2
        self.ask(course, Kind.ROLL_BACK)
        switching.work(at=AT)
        assert live(course).number == 1
        assert the_job().difference[0] == "v1 is in use again."
        assert switching.work(at=AT) == 0

    def test_one_on_the_list_for_a_course(self, course):
        self.ask(course, tracer=another(course))

        with pytest.raises(SwitchUnderWay):
            self.ask(course, Kind.ROLL_BACK)

    def test_what_is_not_possible_is_said_on_the_job(self, course):
        self.ask(course, Kind.ROLL_BACK)

        switching.work(at=AT)

        assert the_job().state == State.REFUSED
        assert "was ever in use" in the_job().problem

    def test_what_another_worker_is_at_is_left_to_it(self, course):
        self.ask(course, tracer=another(course))

        with holding.hold(course):
            assert switching.work(at=AT) == 0
        assert the_job().tries == 0
        assert switching.work(at=AT) == 1

    @pytest.mark.parametrize("where", ["before the switch", "after it"])
    def test_a_killed_way_back_is_done_once(self, course, practised, monkeypatch, where):
        def killed(**_):
            raise SystemExit

        promoting.promote(course=course, tracer=another(course), at=AT)
        self.ask(course, Kind.ROLL_BACK)
        with monkeypatch.context() as patch:
            if where == "before the switch":
                patch.setattr(comparing, "explain", killed)
            else:
                patch.setattr("tutor.common.cache.clear_all", killed)
            with pytest.raises(SystemExit):
                switching.work(at=AT)
        assert live(course).number == (2 if where == "before the switch" else 1)
        switching.work(at=AT)

        assert live(course).number == 1
        assert the_job().state == State.DONE

    def test_what_breaks_its_worker_every_time_is_given_up(self, course, monkeypatch):
        def killed(**_):
            raise SystemExit

        monkeypatch.setattr(promoting, "promote_held", killed)
        self.ask(course, tracer=another(course))
        for _ in range(3):
            with pytest.raises(SystemExit):
                switching.work(at=AT)
        switching.work(at=AT)

        assert "broken off 3 times" in the_job().problem

    def test_a_fault_leaves_the_list_going(self, course, monkeypatch, caplog):
        def broken(**_):
            raise ZeroDivisionError

        monkeypatch.setattr(promoting, "promote_held", broken)
        self.ask(course, tracer=another(course))
        assert switching.work(at=AT) == 1

        assert the_job().state == State.REFUSED
        assert "ZeroDivisionError" in caplog.text


class TestCommands:
    def test_look_use_and_go_back(self, course, practised, capsys):
        version = another(course)

        call_command("promote_tracer", course=course.slug, number=version.number, dry_run=True)
        shown = capsys.readouterr().out
        assert "v1 → v2" in shown
        assert "Nothing was changed" in shown
        assert live(course).number == 1
        call_command("promote_tracer", course=course.slug, number=version.number)
        assert "v2 is live." in capsys.readouterr().out
        call_command("rollback_tracer", course=course.slug)
        assert "v1 is live again, without a network." in capsys.readouterr().out

    def test_say_what_is_wrong(self, course):
        with pytest.raises(CommandError, match="train_network"):
            call_command("promote_tracer", course=course.slug)
        with pytest.raises(CommandError, match="ever in use"):
            call_command("rollback_tracer", course=course.slug)


class TestAdmin:
    def press(self, client, page, action, *rows, **fields):
        response = client.post(
            reverse(f"admin:{page}_changelist"),
            {"action": action, "_selected_action": [row.pk for row in rows], **fields},
            follow=True,
        )
        return [str(message) for message in response.context["messages"]]

    @pytest.fixture
    def administrator(self, organisation, client):
        user = make_user(organisation=organisation, role="administrator")
        client.force_login(user)
        return user

    def test_use_and_go_back(self, administrator, course, practised, client):
        version = another(course)

        said = self.press(client, "registry_tracerversion", "use", version)
        assert "asked for" in said[0]
        switching.work(at=AT)
        assert live(course) == version
        shown = client.get(reverse("admin:registry_switchjob_change", args=[the_job().pk]))
        assert "are affected" in shown.content.decode()
        listed = client.get(reverse("admin:registry_tracedcourse_changelist"))
        assert "v2" in listed.content.decode()
        self.press(client, "registry_tracedcourse", "roll_back", course)
        switching.work(at=AT)
        assert live(course).number == 1
        actors = AuditEntry.objects.filter(action__startswith="registry.")
        assert set(actors.values_list("action", "actor")) == {
            ("registry.promote", administrator.pk),
            ("registry.roll-back", administrator.pk),
        }

    def test_one_version_at_a_time(self, administrator, course, client):
        versions = [another(course), live(course)]

        said = self.press(client, "registry_tracerversion", "compare", *versions)

        assert said == ["Choose one version."]

    def test_a_failed_gate_asks_why(self, administrator, course, client, monkeypatch):
        monkeypatch.setattr(registry_selectors, "list_failed_gates", lambda **_: ["gain"])
        version = another(course)

        said = self.press(client, "registry_tracerversion", "use", version)
        assert "say why" in said[0]
        assert not SwitchJob.objects.exists()
        self.press(client, "registry_tracerversion", "use", version, reason="A trial.")
        assert SwitchJob.objects.get().forced_because == "A trial."
        facts = AuditEntry.objects.latest("pk").facts
        assert facts == {"tracer": version.number, "forced_because": "A trial."}

    def test_train_and_call_off(self, administrator, course, client):
        said = self.press(client, "registry_tracedcourse", "train", course)
        assert "asked for" in said[0]
        assert "already" in self.press(client, "registry_tracedcourse", "train", course)[0]
        job = course.training_jobs.get()
        assert job.asked_by == administrator

        for page in ("changelist", "change"):
            args = [job.pk] if page == "change" else []
            assert client.get(reverse(f"admin:registry_trainingjob_{page}", args=args)).status_code
        said = self.press(client, "registry_trainingjob", "call_off", job)
        assert "called off" in said[0]
        said = self.press(client, "registry_trainingjob", "call_off", job)
        assert "has ended" in said[0]

    def test_another_school_s_are_out_of_reach(self, course, client):
        other = make_user(organisation=make_organisation(), role="administrator")
        client.force_login(other)
        version = another(course)

        self.press(client, "registry_tracerversion", "use", version)
        self.press(client, "registry_tracedcourse", "train", course)

        assert not SwitchJob.objects.exists()
        assert not course.training_jobs.exists()
