"""A person's word on a difficulty: it reaches learners, outlasts runs, and is lifted again."""

import datetime as dt
import io

import pytest
from django.core.management import CommandError, call_command

from tests.factories import AT, make_organisation, make_run, make_user
from tests.tutor.calibration.conftest import EM
from tests.tutor.calibration.logs import a_course, an_item, answer_all, load_items
from tests.tutor.calibration.test_admin import press
from tests.tutor.histories import record, tracer_of, versions_of
from tutor.accounts.models import AuditEntry
from tutor.calibration import comparing, overrides, promoting, running, selectors, working
from tutor.calibration.errors import OverrideRefused
from tutor.calibration.models import CalibrationJob, DifficultyOverride
from tutor.common import clock
from tutor.common.append_only import RowIsFinal
from tutor.registry import selectors as registry_selectors
from tutor.registry.errors import TracerOutdated

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

LATER = AT + dt.timedelta(days=30)


@pytest.fixture
def administrator(organisation):
    return make_user(organisation=organisation, role="administrator")


@pytest.fixture
def run(course):
    """A calibration as if of 300 answers to every item, and no real one."""
    return make_run(course=course)


@pytest.fixture
def used(course, run):
    """A course with a calibration in use."""
    promoting.promote(course=course, run=run, at=AT)
    return course


@pytest.fixture
def calibrated(physics):
    """A course with a calibration in use that was made from its log."""
    run = running.calibrate_course(course=physics, at=AT, settings=EM)
    promoting.promote(course=physics, run=run, at=AT)
    return physics


def decide(version, administrator, *, difficulty=2.5, se=0.3, **more):
    more = {"reason": "The key was wrong in May.", **more}
    return overrides.set_difficulty(
        version=version, difficulty=difficulty, se=se, actor=administrator, **more
    )


def body_of(course):
    return registry_selectors.get_live_tracer(course_id=course.pk).body


def offset_of(course, version):
    return tracer_of(course).offset_of_version[version.pk]


class TestItReachesLearners:
    def test_as_it_is_and_back_once_it_is_lifted(self, used, run, administrator):
        first, other = versions_of(used)[:2]
        before, untouched = offset_of(used, first), offset_of(used, other)
        decide(first, administrator)
        assert CalibrationJob.objects.get().kind == "promote"

        working.work(at=LATER)

        # The very difficulty, translated: neither the filter nor the answers pull at it.
        body, factor = body_of(used), _factor(used, run)
        held = factor * (run.population["mean"] - 2.5) + body["translation"]["shift"]
        assert offset_of(used, first) == pytest.approx(held, abs=1e-9)
        assert offset_of(used, first) < before - 0.8
        assert offset_of(used, other) == pytest.approx(untouched, abs=1e-12)
        assert body["item_vars"][str(first.pk)] > body["item_vars"][str(other.pk)]
        overrides.lift(version=first, actor=administrator, reason="All learners of May are gone.")
        working.work(at=LATER)
        assert offset_of(used, first) == pytest.approx(before, abs=1e-12)

    def test_as_what_to_expect_it_is_weighed_with_the_answers(self, used, run, administrator):
        first = versions_of(used)[0]
        row = run.items.get(version=first)
        decide(first, administrator, se=0.8, is_held=False)

        promoting.promote(course=used, run=run, at=LATER)

        difficulty, se, _ = body_of(used)["calibration"]["items"][str(first.pk)]
        # By precision, with the learnt prior taken out and the person's put in.
        answers = row.pooled_se**-2 - row.prior_sd**-2
        told = row.pooled_difficulty * row.pooled_se**-2 - row.prior_mean * row.prior_sd**-2
        assert se == pytest.approx((answers + 0.8**-2) ** -0.5)
        assert difficulty == pytest.approx((told + 2.5 * 0.8**-2) * se**2)
        assert row.pooled_difficulty < difficulty < 2.5

    def test_outlasts_refits_runs_and_ways_back(self, used, run, administrator):
        first = versions_of(used)[0]
        decide(first, administrator)
        promoting.promote(course=used, run=run, at=LATER)
        second = make_run(course=used, reference=run)

        promoting.promote(course=used, run=second, at=LATER)
        told = body_of(used)["calibration"]["items"][str(first.pk)]
        promoting.roll_back(course=used, at=LATER)

        assert told[:2] == [2.5, 0.3]
        assert body_of(used)["calibration"]["number"] == 1
        assert body_of(used)["calibration"]["items"][str(first.pk)][:2] == [2.5, 0.3]

    def test_decided_while_learners_are_folded_it_is_taken_up(
        self, used, run, learner, administrator
    ):
        record(learner=learner, course=used, version=versions_of(used)[0])
        first, folds = versions_of(used)[0], []

        def deciding(_):
            if not folds:
                decide(first, administrator)
            folds.append(1)

        promoting.promote(course=used, run=run, at=LATER, progress=deciding)

        assert body_of(used)["calibration"]["items"][str(first.pk)][:2] == [2.5, 0.3]
        assert len(folds) > 1

    def test_changing_all_the_while_is_given_up(self, used, run, learner, administrator):
        record(learner=learner, course=used, version=versions_of(used)[0])
        numbers = iter(range(10_000))

        def deciding(_):
            decide(versions_of(used)[0], administrator, difficulty=next(numbers) / 2000)

        with pytest.raises(TracerOutdated, match="by hand"):
            promoting.promote(course=used, run=run, at=LATER, progress=deciding)


def _factor(course, run):
    parameters = body_of(course)["parameters"]
    newcomer = parameters["ability_prior_var"] + parameters["concept_prior_var"]
    shrink, slope = 3.141592653589793 / 8, run.population["slope"]
    spread = 1 + shrink * (slope * run.population["sd"]) ** 2
    return slope * ((1 + shrink * newcomer) / spread) ** 0.5


class TestTheNextRun:
    def test_is_told_holds_no_scale_by_it_and_shows_what_answers_say(
        self, calibrated, administrator
    ):
        answer_all(calibrated, learners=60, source="second", seed=5)
        plain = running.calibrate_course(course=calibrated, at=LATER, settings=EM)
        anchor = plain.items.filter(is_anchor=True).first().version
        decided = decide(anchor, administrator)

        # What was decided is part of what it is made from: it is no repetition.
        second = running.calibrate_course(course=calibrated, at=LATER, settings=EM)

        row = second.items.get(version=anchor)
        assert row.override == decided
        assert not row.is_anchor
        assert second.data_sha256 != plain.data_sha256
        assert row.difficulty == pytest.approx(plain.items.get(version=anchor).difficulty, abs=0.4)
        assert second.items.filter(override__isnull=False).count() == 1

    def test_lets_a_reworded_item_start_from_it(self, organisation, calibrated, administrator):
        first = versions_of(calibrated)[0]
        decide(first, administrator)
        items = tuple(an_item(n, **({"solution": "Because."} if n == 0 else {})) for n in range(24))
        load_items(organisation, items)

        second = running.calibrate_course(course=calibrated, at=LATER, settings=EM)

        new = second.items.get(version=first.item.versions.get(number=2))
        assert new.prior_source == "version before"
        assert new.prior_mean == pytest.approx(2.5)
        assert new.prior_sd == pytest.approx((0.3**2 + 0.5**2) ** 0.5)
        # Its own row says what it would without, so that it can be lifted without a new run.
        assert second.items.get(version=first).prior_mean < 2.0

    def test_on_another_scale_says_that_it_does_not_apply(self, calibrated, administrator):
        decide(versions_of(calibrated)[0], administrator)
        one = running.calibrate_course(
            course=calibrated,
            at=LATER,
            settings=running.engine.Settings(
                engine=running.engine.Engine.EM, model=running.engine.ItemModel.ONE
            ),
        )

        gate = next(gate for gate in one.gates if gate["name"] == "decisions-apply")
        assert (gate["value"], gate["passed"], gate["blocks"]) == (1, False, False)
        assert not one.items.filter(override__isnull=False).exists()
        ready = promoting.prepare(course=calibrated, run=one, force=True)
        assert "1 difficulties that somebody has decided are on another scale" in "".join(
            comparing.explain(course=calibrated, ready=ready, at=LATER)
        )


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        ("asked", "said"),
        [
            ({"reason": "  "}, "Say why"),
            ({"difficulty": 7.0}, "from -6 to 6"),
            ({"difficulty": float("nan")}, "from -6 to 6"),
            ({"se": 0.01}, "from 0.05 to 3"),
            ({"se": float("nan")}, "from 0.05 to 3"),
        ],
    )
    def test_figures_and_reasons_that_cannot_be(self, used, administrator, asked, said):
        with pytest.raises(OverrideRefused, match=said):
            decide(versions_of(used)[0], administrator, **asked)
        assert not DifficultyOverride.objects.exists()

    def test_a_scale_that_is_not_there(self, organisation, course, administrator):
        with pytest.raises(OverrideRefused, match="no calibration yet"):
            decide(versions_of(course)[0], administrator)

    def test_lifting_what_was_not_decided_and_keeping_what_was_not_said(
        self, organisation, used, run, administrator
    ):
        first = versions_of(used)[0]
        other = a_course(organisation=organisation, slug="other", items=3)
        with pytest.raises(OverrideRefused, match="Nothing was decided"):
            overrides.lift(version=first, actor=administrator, reason="Why not.")
        with pytest.raises(OverrideRefused, match="says nothing"):
            overrides.keep_difficulty(
                version=versions_of(other)[0], run=run, actor=administrator, reason="Why not."
            )

    def test_changing_a_decision_afterwards(self, used, administrator):
        decided = decide(versions_of(used)[0], administrator)
        decided.difficulty = 0.0
        with pytest.raises(RowIsFinal):
            decided.save()


class TestTheAdmin:
    @pytest.fixture
    def signed_in(self, administrator, client):
        client.force_login(administrator)
        return administrator

    def test_sets_keeps_and_lifts_with_reasons_in_the_audit(self, used, run, signed_in, client):
        row = run.items.order_by("version").first()
        page = "calibration_itemcalibration"

        missing = press(client, page, "set_by_hand", row, difficulty="1.5", reason="Easy.")
        said = press(client, page, "set_by_hand", row, difficulty="1.5", se="0.4", reason="Leaked.")
        kept = press(client, page, "keep", row, reason="May was odd.")
        lifted = press(client, "calibration_difficultyoverride", "lift", _newest(), reason="Over.")
        again = press(client, page, "lift", row, reason="Over.")

        assert "standard error" in missing[0]
        assert "put to use again" in said[0]
        assert "put to use again" in kept[0]
        assert "put to use again" in lifted[0]
        assert "Nothing was decided" in again[0]
        held = list(DifficultyOverride.objects.order_by("pk").values_list("rule", "difficulty"))
        assert held == [("held", 1.5), ("held", row.pooled_difficulty), ("lifted", None)]
        assert list(
            AuditEntry.objects.filter(action__startswith="calibration.difficulty")
            .order_by("pk")
            .values_list("action", "actor", "subject")
        ) == [
            (f"calibration.difficulty-{rule}", signed_in.pk, str(row.version))
            for rule in ("held", "held", "lifted")
        ]
        item = client.get(f"/admin/calibration/itemlife/{row.version.item_id}/change/")
        shown = item.content.decode()
        assert "+1.50 ± 0.40, held: Leaked." in shown
        assert "lifted: Over." in shown

    def test_nothing_of_another_organisation(self, used, run, client):
        stranger = make_user(organisation=make_organisation(), role="administrator")
        client.force_login(stranger)
        row = run.items.order_by("version").first()

        press(client, "calibration_itemcalibration", "keep", row, reason="Mine.")
        page = client.get("/admin/calibration/difficultyoverride/")

        assert not DifficultyOverride.objects.exists()
        assert page.status_code == 200


def _newest():
    return DifficultyOverride.objects.latest("pk")


def test_the_command_does_and_shows_the_same(used, run, administrator):
    first = versions_of(used)[0]
    asked = ("override_difficulty", "--course", used.slug, "--item", first.item.slug)

    def ask(*options):
        out = io.StringIO()
        call_command(*asked, *options, stdout=out)
        return out.getvalue()

    with pytest.raises(CommandError, match="--se"):
        ask("--set", "1.0", "--reason", "Leaked.")
    with pytest.raises(CommandError, match="nobody who administers"):
        ask("--keep", "1", "--reason", "Leaked.", "--as", "ghost")
    assert "+1.00 ± 0.20" in ask("--set", "1.0", "--se", "0.2", "--reason", "Leaked.")
    ask("--keep", "1", "--reason", "It was fine.", "--as", administrator.username)
    by_hand, elsewhere = selectors.list_overrides(course_id=used.pk, run=run)
    assert (list(by_hand), elsewhere) == ([first.pk], 0)
    ask("--lift", "--reason", "Enough.")
    shown = ask()
    assert [text in shown for text in ("Leaked. (the operator)", "lifted: Enough.")] == [True] * 2
    assert selectors.list_overrides(course_id=used.pk, run=run) == ({}, 0)
    assert clock.now() > AT
