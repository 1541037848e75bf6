"""Accounts, and learners of other systems under pseudonyms."""

import pytest

from tests.factories import make_organisation
from tutor.accounts import services
from tutor.accounts.models import Learner

pytestmark = pytest.mark.django_db


class TestCreateUser:
    def test_gives_a_student_a_learner(self, organisation):
        user = services.create_user(
            organisation=organisation,
            username="s",
            password="p",
            role="student",
            name="Sam de Vries",
        )

        assert user.learner.organisation == organisation
        assert (user.first_name, user.last_name) == ("Sam", "de Vries")
        assert user.check_password("p")

    @pytest.mark.parametrize("role", ["teacher", "administrator"])
    def test_gives_others_none(self, organisation, role):
        services.create_user(organisation=organisation, username="t", password="p", role=role)

        assert not Learner.objects.exists()


class TestAdmitLearners:
    def test_finds_the_same_learner_again(self, organisation):
        first = services.admit_learners(
            organisation=organisation, source="lms", external_ids=["a", "b", "a"]
        )
        again = services.admit_learners(
            organisation=organisation, source="lms", external_ids=["b", "c"]
        )

        assert first["b"] == again["b"]
        assert Learner.objects.count() == 3

    def test_keeps_sources_and_organisations_apart(self, organisation):
        ids = {
            services.admit_learners(organisation=home, source=source, external_ids=["a"])["a"]
            for home in (organisation, make_organisation())
            for source in ("lms", "other")
        }

        assert len(ids) == 4

    def test_keeps_no_trace_of_the_id_elsewhere(self, organisation):
        services.admit_learners(organisation=organisation, source="lms", external_ids=["anna.b"])

        learner = Learner.objects.get()
        assert "anna" not in f"{learner.source_key} {learner.pseudonym} {learner.label}"
        assert learner.source_key != services.source_key(
            organisation=make_organisation(), source="lms", external_id="anna.b"
        )

    def test_takes_many_at_once(self, organisation):
        names = [f"learner-{number}" for number in range(1200)]

        found = services.admit_learners(organisation=organisation, source="lms", external_ids=names)

        assert len(set(found.values())) == 1200
