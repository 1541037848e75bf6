"""A log that is exported and imported elsewhere is the same log; so is the export of that."""

import contextlib
import datetime as dt
import itertools
import tempfile
from pathlib import Path

import pytest
from django.core.cache import cache as django_cache
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import factories
from tests.tutor.histories import correct, record, versions_of
from tests.tutor.responses.exporting.exports import (
    export,
    histories_of,
    rows_of,
    without_names,
)
from tests.tutor.responses.importing.logs import write_log
from tests.tutor.tracing.imports import course_named, import_log
from tutor.common import cache
from tutor.content import services as content_services
from tutor.content.course_format import ConceptSpec, CourseSpec, ItemSpec
from tutor.responses.models import LogImport, Response

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

ENDINGS = (".csv", ".csv.gz", ".parquet")
MOMENT = dt.datetime(2024, 2, 29, 23, 59, 59, 999_999, tzinfo=dt.UTC)


def import_into_nothing(path: Path, *, slug: str = "log"):
    """Import the file into a new organisation and return the course that comes of it."""
    elsewhere = factories.make_organisation()
    options = ("--organisation", elsewhere.slug, "--course", slug, "--no-fit")
    import_log(path, *options, "--rejects", str(path.with_suffix(".rejects.csv")))
    assert LogImport.objects.get(organisation=elsewhere).plan["rejects"] == 0
    return course_named(slug, elsewhere)


def check_round_trip(course, folder: Path, *, ending: str = ".csv") -> None:
    """Export, import, and export again: equal histories, and equal files apart from names."""
    first = export(course, folder / f"first{ending}").path
    again = import_into_nothing(first, slug=course.slug)

    assert histories_of(again) == histories_of(course)
    second = export(again, folder / f"second{ending}").path
    assert without_names(second) == without_names(first)


# Anything that a name may be: not what is stripped off its ends, nor the start of a formula.
_NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"], exclude_characters="|"),
    min_size=1,
    max_size=30,
).filter(lambda name: name.strip() == name and name[0] not in "=@+-")
_CREDITS = st.sampled_from([0.0, 1.0]) | st.floats(0.0, 1.0).map(abs)
_TIMES = st.datetimes(
    min_value=dt.datetime(1990, 1, 1), max_value=dt.datetime(2025, 12, 31)
) | st.sampled_from([dt.datetime(2024, 3, 1), dt.datetime(2024, 3, 1, 0, 0, 0, 1)])
_ITEMS = st.dictionaries(_NAMES, st.lists(_NAMES, max_size=3, unique=True), min_size=1, max_size=5)


@st.composite
def logs(draw):
    """Rows of a log, all with times or none, and which of its answers are corrected."""
    items = draw(_ITEMS)
    learners = draw(st.lists(_NAMES, min_size=1, max_size=4, unique=True))
    timed = draw(st.booleans())
    rows = [
        {
            "learner": draw(st.sampled_from(learners)),
            "item": item,
            "correct": repr(draw(_CREDITS)),
            "concepts": "|".join(items[item]),
            "answered_at": draw(_TIMES).isoformat() if timed else "",
            "elapsed_ms": draw(st.none() | st.integers(0, 2**53)),
            "hints": draw(st.integers(0, 3)),
            "attempt": draw(st.integers(1, 3)),
            "is_pilot": draw(st.sampled_from(["", 0, 1])),
        }
        for item in draw(st.lists(st.sampled_from(sorted(items)), min_size=1, max_size=25))
    ]
    return rows, draw(st.sets(st.integers(0, len(rows) - 1), max_size=5))


class _Undone(Exception):
    """Takes an example's rows away again."""


@contextlib.contextmanager
def undone():
    cache.clear_all()
    django_cache.clear()
    with contextlib.suppress(_Undone), transaction.atomic():
        yield
        raise _Undone


class TestEqualLog:
    @settings(
        max_examples=25,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    @given(logs(), st.sampled_from(ENDINGS))
    def test_of_any_log_with_corrections(self, made_up, ending):
        rows, to_correct = made_up
        with undone(), tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            log = write_log(folder / "log.csv", rows)
            course = import_into_nothing(log)
            stored = list(Response.objects.filter(course=course).order_by("pk"))
            assert len(stored) == len(rows)
            for place in to_correct:
                correct(stored[place], is_correct=not stored[place].is_correct)

            check_round_trip(course, folder, ending=ending)

    @pytest.mark.parametrize("ending", ENDINGS)
    def test_of_a_course_that_somebody_wrote(self, course, organisation, tmp_path, ending):
        versions = versions_of(course)
        for number in range(3):
            learner = factories.make_learner(organisation=organisation)
            for step, version in enumerate(versions * 2):
                record(
                    learner=learner,
                    course=course,
                    version=version,
                    answered_at=MOMENT + dt.timedelta(microseconds=step // 3 + number),
                    credit=1.0 if step % 3 else 1 / 3,
                    is_correct=bool(step % 3),
                    hints_seen=step % 2,
                    attempt=1 + step % 2,
                    elapsed_ms=None if step % 5 else step,
                    is_pilot=step % 4 == 0,
                )

        check_round_trip(course, tmp_path, ending=ending)
        several = {len(concepts) > 1 for *_, concepts in itertools.chain(*histories_of(course))}
        assert several == {True, False}

    def test_in_fold_order_where_times_are_equal(self, course, learner, tmp_path):
        first, second, third = versions_of(course)[:3]
        rows = [
            record(learner=learner, course=course, version=version, answered_at=MOMENT)
            for version in (second, first, third)
        ]
        correct(rows[0])

        check_round_trip(course, tmp_path)

        # The correction came last, so it is folded last.
        found = [(row["item"], row["correct"]) for row in rows_of(tmp_path / "first.csv")]
        slugs = [version.item.slug for version in (first, third, second)]
        assert found == list(zip(slugs, ["1", "1", "0"], strict=True))

    def test_of_a_history_longer_than_a_batch(self, course, organisation, tmp_path, monkeypatch):
        monkeypatch.setattr("tutor.responses.exporting.selectors.BATCH", 5)
        version = versions_of(course)[0]
        for answers in (7, 1, 2, 5, 6, 4, 1):
            learner = factories.make_learner(organisation=organisation)
            for step in range(answers):
                record(
                    learner=learner,
                    course=course,
                    version=version,
                    answered_at=MOMENT + dt.timedelta(minutes=step),
                )

        check_round_trip(course, tmp_path)
        assert len(rows_of(tmp_path / "first.csv")) == 26

    def test_of_items_with_long_names(self, tmp_path):
        rows = [{"learner": "ann", "item": f"{'long ' * 30}{n}", "correct": 1} for n in range(2)]

        check_round_trip(import_into_nothing(write_log(tmp_path / "log.csv", rows)), tmp_path)


class TestConceptsOfVersions:
    def test_are_those_of_the_version_that_was_answered(self, organisation, tmp_path):
        course = _load(organisation, "adding")
        learner = factories.make_learner(organisation=organisation)
        record(learner=learner, course=course, version=versions_of(course)[0], answered_at=MOMENT)
        _load(organisation, "counting")
        record(
            learner=learner,
            course=course,
            version=versions_of(course)[1],
            answered_at=MOMENT + dt.timedelta(days=1),
        )

        path = export(course, tmp_path / "log.csv").path
        again = import_into_nothing(path)

        assert [row["concepts"] for row in rows_of(path)] == ["adding", "counting"]
        # An item of the import has one set of concepts; the plan says so.
        plan = LogImport.objects.get(course=again).plan
        assert any("1 items carry different concepts" in text for text in plan["warnings"])
        rows = rows_of(export(again, tmp_path / "again.csv").path)
        assert [row["concepts"] for row in rows] == ["adding", "adding"]


def _load(organisation, concept: str):
    item = ItemSpec(slug="q", concepts=(concept,), kind="self_marked", stem="Q", file="items")
    spec = CourseSpec(
        slug="log",
        title="Log",
        language="en",
        concepts=(ConceptSpec("adding", "Adding", ""), ConceptSpec("counting", "Counting", "")),
        misconceptions=(),
        items=(item,),
    )
    return content_services.load_course(organisation=organisation, spec=spec).course
