"""An item's life: who may move it where, what a run does by itself, and the way back."""

import pytest

from tests.factories import make_course, make_organisation, make_run, make_user
from tutor.calibration import life, selectors, services
from tutor.calibration.errors import StatusRefused
from tutor.common.append_only import RowIsFinal
from tutor.common.errors import NotVisible
from tutor.content.models import Item, StatusChange

KNOWN = life.Figures(n=250, se=0.2, flags=())
THIN = life.Figures(n=120, se=0.4, flags=("thin", "imprecise"))
UPSIDE_DOWN = life.Figures(n=250, se=0.2, flags=("negative-discrimination",))
UNSEEN = life.Figures(n=0, se=None, flags=("unseen",))


class TestNextStatus:
    @pytest.mark.parametrize(
        ("status", "figures", "after"),
        [
            ("pilot", KNOWN, "operational"),
            ("pilot", THIN, ""),
            ("pilot", UPSIDE_DOWN, ""),
            ("provisional", KNOWN, "operational"),
            ("provisional", THIN, ""),
            ("provisional", UNSEEN, ""),
            ("provisional", UPSIDE_DOWN, "flagged"),
            ("operational", KNOWN, ""),
            ("operational", THIN, "provisional"),
            ("operational", UNSEEN, "provisional"),
            ("operational", UPSIDE_DOWN, "flagged"),
            ("operational", life.Figures(250, 0.2, ("misfit", "locally-dependent")), ""),
            ("operational", life.Figures(250, 0.2, ("disconnected",)), "provisional"),
            ("operational", life.Figures(250, 0.2, ("dif",)), ""),
            ("provisional", life.Figures(20, 1.1, ("all-right", "thin")), ""),
            ("provisional", life.Figures(220, 1.1, ("all-right",)), "flagged"),
            ("operational", life.Figures(1, 1.8, ("below-chance", "thin")), "provisional"),
            ("provisional", life.Figures(5, 1.1, ("negative-discrimination", "thin")), ""),
            ("provisional", life.Figures(29, 0.9, ("negative-discrimination", "thin")), ""),
            ("provisional", life.Figures(30, 0.9, ("negative-discrimination", "thin")), "flagged"),
            ("provisional", life.Figures(30, 0.9, ("below-chance", "thin")), "flagged"),
            ("flagged", KNOWN, "operational"),
            ("flagged", THIN, "provisional"),
            ("flagged", UPSIDE_DOWN, ""),
            ("draft", KNOWN, ""),
            ("excluded", KNOWN, ""),
            ("retired", KNOWN, ""),
        ],
    )
    def test_earns_its_way(self, status, figures, after):
        found, why = life.next_status(status, figures, is_flagged_by_hand=False)

        assert found == after
        assert bool(why) == bool(after)

    def test_leaves_what_a_person_has_flagged(self):
        assert life.next_status("flagged", KNOWN, is_flagged_by_hand=True) == ("", "")

    def test_is_at_the_bounds_what_the_bounds_say(self):
        assert life.Figures(200, 0.3499, ()).is_known
        assert not life.Figures(199, 0.1, ()).is_known
        assert not life.Figures(200, 0.35, ()).is_known


@pytest.mark.django_db
class TestByHand:
    @pytest.fixture
    def person(self, organisation):
        return make_user(organisation=organisation, role="administrator")

    @pytest.fixture
    def item(self, course):
        return Item.objects.filter(course=course).first()

    def test_keeps_who_when_and_why_and_reaches_the_bank(self, course, item, person):
        revision = course.revision
        services.set_status(item=item, status="draft", actor=person, reason="Not yet.")

        row = StatusChange.objects.get()
        assert (row.before, row.after, row.actor) == ("provisional", "draft", person)
        assert row.reason == "Not yet."
        assert row.at is not None
        course.refresh_from_db()
        assert course.revision == revision + 1
        with pytest.raises(RowIsFinal):
            row.delete()

    def test_is_taken_back_once(self, item, person):
        change = services.set_status(item=item, status="excluded", actor=person, reason="Key.")

        back = services.take_back(change=change, actor=person, reason="Key is right.")

        item.refresh_from_db()
        assert item.status == "provisional"
        assert back.reverts == change
        with pytest.raises(StatusRefused):
            services.take_back(change=change, actor=person, reason="Again.")

    def test_is_not_taken_back_when_the_item_has_moved_on(self, item, person):
        change = services.set_status(item=item, status="pilot", actor=person, reason="Try.")
        services.set_status(item=item, status="retired", actor=person, reason="Old.")

        with pytest.raises(StatusRefused):
            services.take_back(change=change, actor=person, reason="")

    def test_changes_nothing_where_the_item_is_there_already(self, item, person):
        assert (
            services.set_status(item=item, status="provisional", actor=person, reason="x") is None
        )
        assert not StatusChange.objects.exists()

    @pytest.mark.parametrize(("status", "reason"), [("pilot", "  "), ("golden", "Because.")])
    def test_needs_a_reason_and_a_status_that_there_is(self, item, person, status, reason):
        with pytest.raises(StatusRefused):
            services.set_status(item=item, status=status, actor=person, reason=reason)

    def test_calls_nothing_operational_that_is_not_known(self, course, item, person):
        with pytest.raises(StatusRefused):
            services.set_status(item=item, status="operational", actor=person, reason="I know.")

        make_run(course=course)
        services.set_status(item=item, status="operational", actor=person, reason="Calibrated.")
        item.refresh_from_db()
        assert item.status == "operational"

    def test_knows_what_a_person_has_flagged(self, item, person):
        services.set_status(item=item, status="flagged", actor=person, reason="Odd.")

        assert selectors.list_flagged_by_hand(items=[item.pk]) == {item.pk}

    def test_lets_a_person_confirm_what_a_run_has_flagged(self, course, item, person):
        run = make_run(course=course)
        services.apply_moves(run=run, moves={item.pk: ("flagged", "abler learners do worse")})
        item.refresh_from_db()
        assert selectors.list_flagged_by_hand(items=[item.pk]) == set()

        row = services.set_status(item=item, status="flagged", actor=person, reason="So it is.")

        assert (row.before, row.after, row.actor) == ("flagged", "flagged", person)
        assert selectors.list_flagged_by_hand(items=[item.pk]) == {item.pk}
        again = services.set_status(item=item, status="flagged", actor=person, reason="So it is.")
        assert again is None
        services.take_moves_back(course=course, number=run.number, reason="rolled back")
        item.refresh_from_db()
        assert item.status == "flagged"

    def test_keeps_what_a_person_decided_after_a_run_also_where_it_led_back(
        self, course, item, person
    ):
        run = make_run(course=course)
        services.apply_moves(run=run, moves={item.pk: ("flagged", "abler learners do worse")})
        change = StatusChange.objects.get()
        for status, reason in (("provisional", "Looks fine."), ("flagged", "No, it is not.")):
            item.refresh_from_db()
            services.set_status(item=item, status=status, actor=person, reason=reason)

        assert services.take_moves_back(course=course, number=run.number, reason="back") == 0
        item.refresh_from_db()
        assert item.status == "flagged"
        with pytest.raises(StatusRefused):
            services.take_back(change=change, actor=person, reason="")

    def test_takes_back_step_by_step(self, course, item, person):
        run = make_run(course=course)
        for status in ("flagged", "provisional", "operational"):
            services.apply_moves(run=run, moves={item.pk: (status, "by figures")})

        assert services.take_moves_back(course=course, number=run.number, reason="back") == 3
        item.refresh_from_db()
        assert item.status == "provisional"

    @pytest.mark.parametrize("share", [-0.01, 0.21, float("nan")])
    def test_refuses_a_pilot_share_out_of_range(self, course, share):
        with pytest.raises(StatusRefused):
            services.set_pilot_share(course=course, share=share)


@pytest.mark.django_db
class TestWhoMayManage:
    @pytest.mark.parametrize(
        ("role", "is_own", "may"),
        [
            ("administrator", True, True),
            ("administrator", False, False),
            ("teacher", True, False),
            ("student", True, False),
        ],
    )
    def test_administrators_of_the_organisation(self, course, role, is_own, may):
        organisation = course.organisation if is_own else make_organisation()
        actor = make_user(organisation=organisation, role=role)
        make_course(organisation=make_organisation())

        assert list(selectors.list_manageable_courses(actor=actor)) == ([course] if may else [])
        if may:
            assert selectors.access_course(actor=actor, course_id=course.pk) == course
        else:
            with pytest.raises(NotVisible):
                selectors.access_course(actor=actor, course_id=course.pk)
