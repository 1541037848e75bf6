"""Who sees whom."""

import uuid

import pytest
from django.contrib.auth.models import AnonymousUser

from tests.factories import make_class, make_course, make_learner, make_organisation, make_user
from tutor.accounts import selectors
from tutor.accounts.models import Learner, User
from tutor.common.errors import NotAllowed, NotVisible

pytestmark = pytest.mark.django_db


@pytest.fixture
def school(organisation, course):
    """Two classes: `own` with its teacher, `others` with another."""

    class School:
        pupil = make_learner(organisation=organisation, name="Pia Pupil")
        outsider = make_learner(organisation=organisation, name="Olaf Other")
        teacher = make_user(organisation=organisation, role="teacher")
        administrator = make_user(organisation=organisation, role="administrator")
        imported = Learner.objects.create(organisation=organisation, source_key="k")

    make_class(course=course, users=[School.pupil.user, School.teacher], name="own")
    make_class(course=course, users=[School.outsider.user], name="others")
    # A second common class must not list the pupil twice.
    make_class(course=course, users=[School.pupil.user, School.teacher], name="second")
    return School


@pytest.fixture
def stranger(db):
    """An administrator of another school, with a learner there."""
    elsewhere = make_organisation()
    make_course(organisation=elsewhere)
    make_learner(organisation=elsewhere)
    return make_user(organisation=elsewhere, role="administrator")


class TestListVisibleLearners:
    def test_shows_students_themselves(self, school):
        assert list(selectors.list_visible_learners(actor=school.pupil.user)) == [school.pupil]

    def test_shows_teachers_the_learners_of_their_classes_once(self, school):
        assert list(selectors.list_visible_learners(actor=school.teacher)) == [school.pupil]

    def test_shows_administrators_everybody_of_their_organisation(self, school, stranger):
        seen = selectors.list_visible_learners(actor=school.administrator)

        assert set(seen) == {school.pupil, school.outsider, school.imported}

    def test_shows_nobody_of_another_organisation(self, school, stranger):
        seen = set(selectors.list_visible_learners(actor=stranger))

        assert len(seen) == 1
        assert not seen & {school.pupil, school.outsider, school.imported}

    def test_shows_a_teacher_who_changed_schools_nobody_of_the_old_one(self, school, stranger):
        school.teacher.organisation = stranger.organisation
        school.teacher.save()

        assert not selectors.list_visible_learners(actor=school.teacher).exists()

    def test_shows_nobody_to_those_without_an_organisation(self, school):
        rootless = User.objects.create(username="rootless", role="administrator")

        assert not selectors.list_visible_learners(actor=rootless).exists()

    @pytest.mark.parametrize("who", ["pupil", "teacher", "administrator"])
    def test_shows_nobody_to_the_inactive(self, school, who):
        actor = school.pupil.user if who == "pupil" else getattr(school, who)
        actor.is_active = False

        assert not selectors.list_visible_learners(actor=actor).exists()

    def test_shows_nobody_to_the_anonymous(self, school):
        assert not selectors.list_visible_learners(actor=AnonymousUser()).exists()


class TestAccessLearner:
    def test_hides_the_invisible_like_the_missing(self, school):
        for pseudonym in (school.outsider.pseudonym, uuid.uuid4()):
            with pytest.raises(NotVisible) as caught:
                selectors.access_learner(actor=school.teacher, pseudonym=pseudonym)
            assert caught.value.message == "There is no such learner."


class TestAccessLearnerToPractise:
    def test_lets_learners_and_administrators(self, school):
        pseudonym = school.pupil.pseudonym
        for actor in (school.pupil.user, school.administrator):
            found = selectors.access_learner_to_practise(actor=actor, pseudonym=pseudonym)
            assert found == school.pupil

    def test_does_not_let_a_teacher_answer(self, school):
        with pytest.raises(NotAllowed):
            selectors.access_learner_to_practise(
                actor=school.teacher, pseudonym=school.pupil.pseudonym
            )

    def test_lets_nobody_from_elsewhere(self, school, stranger):
        with pytest.raises(NotVisible):
            selectors.access_learner_to_practise(actor=stranger, pseudonym=school.pupil.pseudonym)


class TestGetOwnLearner:
    def test_is_the_users(self, school):
        assert selectors.get_own_learner(actor=school.pupil.user) == school.pupil

    def test_is_none_for_a_teacher_and_for_the_anonymous(self, school):
        # The imported learner has no user either: that must not be a match.
        for actor in (school.teacher, AnonymousUser()):
            with pytest.raises(NotVisible):
                selectors.get_own_learner(actor=actor)

    def test_is_none_for_the_inactive(self, school):
        school.pupil.user.is_active = False

        with pytest.raises(NotVisible):
            selectors.get_own_learner(actor=school.pupil.user)
