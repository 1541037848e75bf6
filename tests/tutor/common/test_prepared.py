import datetime as dt
import uuid

import pytest
from django.db import connection

from tests.factories import make_learner, make_organisation
from tutor.accounts.models import Learner
from tutor.common.prepared import Prepared, slot
from tutor.responses.models import HintRequest

OWN = Prepared(
    lambda: (
        HintRequest.objects.filter(
            learner=slot("learner", HintRequest), presentation=slot("presentation", HintRequest)
        )
        .select_related("learner__organisation")
        .only("level", "at", "presentation", "learner__pseudonym", "learner__organisation__name")
        .order_by("level")
    )
)


@pytest.fixture
def presentation():
    return uuid.uuid4()


@pytest.fixture
def learner(presentation):
    learner = make_learner(organisation=make_organisation())
    for level in (2, 1):
        HintRequest.objects.create(
            learner=learner,
            presentation=presentation,
            level=level,
            at=dt.datetime(2026, 1, level, 12, 30, 15, 1234, tzinfo=dt.UTC),
        )
    return learner


@pytest.mark.django_db
class TestPrepared:
    def test_gives_what_the_query_set_gives(self, learner, presentation):
        plain = (
            HintRequest.objects.filter(learner=learner, presentation=presentation)
            .select_related("learner__organisation")
            .order_by("level")
        )

        found = OWN.all(learner=learner.pk, presentation=presentation)

        assert found == list(plain)
        for one, other in zip(found, plain, strict=True):
            assert (one.level, one.at, one.presentation) == (
                other.level,
                other.at,
                other.presentation,
            )
            assert one.learner.pseudonym == other.learner.pseudonym
            assert one.learner.user == other.learner.user
            assert one.learner.organisation.name == other.learner.organisation.name

    def test_asks_once_for_the_row_and_what_belongs_to_it(
        self, learner, presentation, django_assert_num_queries
    ):
        with django_assert_num_queries(1):
            first = OWN.first(learner=learner.pk, presentation=presentation)
            assert (first.level, first.learner.organisation.name) == (
                1,
                learner.organisation.name,
            )

    def test_takes_other_arguments_each_time(self, learner, presentation):
        assert OWN.first(learner=learner.pk, presentation=presentation) is not None
        assert OWN.first(learner=learner.pk, presentation=uuid.uuid4()) is None
        assert (
            OWN.first(
                learner=make_learner(organisation=make_organisation()).pk, presentation=presentation
            )
            is None
        )

    def test_keeps_arguments_out_of_the_sql(self, learner):
        by_key = Prepared(
            lambda: Learner.objects.filter(source_key=slot("source_key", Learner)).only("pk")
        )

        assert by_key.first(source_key="' OR 1=1 --") is None

    def test_wants_every_argument(self, learner):
        with pytest.raises(KeyError):
            OWN.first(learner=learner.pk)

    def test_compiles_once(self, learner, presentation):
        OWN.first(learner=learner.pk, presentation=presentation)
        compiled = OWN._compiled[connection.vendor]

        OWN.first(learner=learner.pk, presentation=uuid.uuid4())

        assert OWN._compiled[connection.vendor] is compiled

    def test_postgresql_keeps_its_plan(self, learner, presentation):
        if connection.vendor != "postgresql":
            pytest.skip("SQLite keeps no plans.")
        for _ in range(8):
            assert OWN.first(learner=learner.pk, presentation=presentation).level == 1
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE %s",
                ['%"responses_hintrequest"."presentation" = ($2)%'],
            )
            assert cursor.fetchone() == (1,)


@pytest.mark.django_db(transaction=True)
def test_outlives_its_connection():
    OWN.first(learner=1, presentation=uuid.uuid4())
    connection.close()

    assert OWN.first(learner=1, presentation=uuid.uuid4()) is None
