"""The compiled fold of many learners and the engine's fold, answer by answer, give equal bytes."""

import dataclasses
import datetime as dt
import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kt_models.data import research_logs
from kt_models.streaming.psi_filter import FilterParameters
from kt_models.training import passing, psi_fold
from tests.factories import AT, make_learner, small_course_spec
from tests.tutor.histories import bulk_history, correct, record, tracer_of, versions_of
from tutor.content import services as content_services
from tutor.content.version_table import VersionTable, read_version_table
from tutor.responses import columns as response_columns
from tutor.responses import selectors as response_selectors
from tutor.responses.columns import FoldColumns
from tutor.responses.selectors import FoldRow
from tutor.tracing import bulk, engine, rebuilding, services
from tutor.tracing.bands import Band, band_of
from tutor.tracing.models import LearnerState

pytestmark = pytest.mark.slow

REAL = Path(__file__).parents[3] / "data"
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
# Mastery comes and goes within a few answers under these.
LIVELY = FilterParameters(
    ability_prior_var=1.7,
    concept_prior_var=1.3,
    concept_drift_var=0.05,
    decay_power=0.4,
    gain_right=0.3,
    gain_wrong=0.05,
)


def tracer_over(table: VersionTable, *, offsets, reference, parameters=LIVELY):
    """A tracer over made-up versions; folding asks its bank for nothing.

    Every third version is known only so well, and every seventh does not count.
    """
    ids = table.version_ids.tolist()
    variances = dict.fromkeys(ids[::3], 0.3) | dict.fromkeys(ids[::7], np.inf)
    return engine.CourseTracer(
        tracer_id=1,
        number=1,
        parameters=parameters,
        bank=None,
        item_offsets=np.empty(0),
        reference_offsets=np.empty(0),
        offset_of_version=dict(zip(table.version_ids.tolist(), offsets.tolist(), strict=True)),
        reference_of_concept=reference,
        var_of_version=variances,
        layout=None,
    )


def folder_of(tracer, table):
    offsets = [tracer.offset_of_version[pk] for pk in table.version_ids.tolist()]
    variances = [tracer.var_of_version.get(pk, 0.0) for pk in table.version_ids.tolist()]
    return bulk.Folder(tracer, table, np.array(offsets), np.array(variances))


def row_by_row(tracer, table, answers: FoldColumns):
    """The twin: `engine.fold` over rows with Python's own times."""
    places = table.rows_of(answers.version_id).tolist()
    concepts = [tuple(k for k in row if k >= 0) for row in table.concepts.tolist()]
    items = table.item_ids.tolist()
    starts = answers.starts.tolist()
    found = {}
    for first, last in itertools.pairwise(starts):
        history = [
            FoldRow(
                id=int(answers.id[r]),
                learner_id=int(answers.learner_id[r]),
                version_id=int(answers.version_id[r]),
                item_id=items[places[r]],
                credit=float(answers.credit[r]),
                attempt=int(answers.attempt[r]),
                hints_seen=int(answers.hints_seen[r]),
                answered_at=response_columns.EPOCH
                + dt.timedelta(microseconds=int(answers.answered_us[r])),
                is_pilot=bool(answers.is_pilot[r]),
            )
            for r in range(first, last)
        ]
        pairs = [(row, concepts[places[first + n]]) for n, row in enumerate(history)]
        found[history[0].learner_id] = services.FoldedLearner(
            engine.fold(tracer, engine.start(tracer), pairs),
            history[-1].answered_at,
            history[-1].id,
            len(history),
        )
    return found


def told(folded):
    return {
        pk: (one.learner.to_bytes(), one.last_answered_at, one.last_response_id, one.n_responses)
        for pk, one in folded.items()
    }


def made_up(rng, *, learners=6, longest=400, versions=30, concepts=9, width=4):
    """Answers with ties, long gaps, help and partial credit, to items of several concepts."""
    ids = np.sort(rng.choice(10_000, concepts, replace=False))
    table = VersionTable(
        version_ids=np.sort(rng.choice(10_000, versions, replace=False)),
        item_ids=rng.integers(1, 20, versions),
        concepts=np.full((versions, width), -1),
    )
    for row in table.concepts:
        own = rng.permutation(ids)[: rng.integers(1, width + 1)]
        row[: len(own)] = own
    lengths = rng.integers(1, longest, learners)
    size = int(lengths.sum())
    gaps = rng.choice([0, 0, 1, 1_000_003, 7_200_000_000, 40 * 86_400_000_000], size)
    starts = np.cumsum(lengths) - lengths
    times = np.cumsum(gaps)
    times -= np.repeat(times[starts], lengths)
    answers = FoldColumns(
        id=rng.permutation(size) + 1,
        learner_id=np.repeat(np.arange(5, 5 + learners), lengths),
        version_id=rng.choice(table.version_ids, size),
        credit=rng.choice([0.0, 0.5, 1.0, 1.0, 1.0], size),
        attempt=rng.choice([1, 1, 1, 2], size),
        hints_seen=rng.choice([0, 0, 0, 3], size),
        answered_us=times + rng.integers(-(10**15), 10**15),
        is_pilot=rng.random(size) < 0.1,
    )
    reference = dict(zip(ids.tolist(), rng.normal(0.5, 1.0, concepts).tolist(), strict=True))
    tracer = tracer_over(table, offsets=rng.normal(0.5, 1.0, versions), reference=reference)
    return tracer, table, answers


class TestFoldColumns:
    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(seed=st.integers(0, 2**32), longest=st.sampled_from([2, 20, 400]))
    def test_equals_the_engine_byte_for_byte(self, seed, longest):
        tracer, table, answers = made_up(np.random.default_rng(seed), longest=longest)

        found = folder_of(tracer, table).fold_columns(answers=answers)

        assert told(found) == told(row_by_row(tracer, table, answers))

    def test_such_histories_master_some_concepts_and_others_not(self):
        """The partner of the test above: it would pass where nothing is ever mastered."""
        tracer, table, answers = made_up(np.random.default_rng(0), learners=40)
        found = folder_of(tracer, table).fold_columns(answers=answers)

        counts = [len(one.learner.mastered) for one in found.values()]
        assert min(counts) < max(counts) <= 9
        assert max(one.n_responses for one in found.values()) > engine.RECENT_ANSWERS

    def test_leaves_who_is_on_the_edge_to_the_engine(self, monkeypatch):
        tracer, table, answers = made_up(np.random.default_rng(1))
        expected = row_by_row(tracer, table, answers)
        asked = []

        def fold_learners(*, tracer, learner_ids):
            asked.extend(learner_ids)
            yield from ((pk, expected[pk]) for pk in learner_ids)

        monkeypatch.setattr(psi_fold, "PASSING_MARGIN", 50.0)
        monkeypatch.setattr(bulk.services, "fold_learners", fold_learners)
        found = folder_of(tracer, table).fold_columns(answers=answers)

        assert asked
        assert told(found) == told(expected)

    def test_hardly_ever_asks_the_engine(self, monkeypatch):
        tracer, table, answers = made_up(np.random.default_rng(2), learners=200)
        monkeypatch.setattr(bulk.services, "fold_learners", None)

        assert len(folder_of(tracer, table).fold_columns(answers=answers)) == 200

    def test_knows_a_version_that_the_tracer_does_not(self):
        tracer, table, answers = made_up(np.random.default_rng(3))
        folder = folder_of(tracer, table)
        folder.offsets[:] = np.nan

        with pytest.raises(KeyError):
            folder.fold_columns(answers=answers)

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("read", "folder", "learners"),
        [
            (research_logs.read_dbe_kt22, "dbe_kt22", None),
            (research_logs.read_assistments2017, "assistments2017", 120),
            (research_logs.read_assistments2012, "assistments2012_dev", 700),
        ],
    )
    def test_equals_the_engine_on_a_real_log(self, read, folder, learners):
        if not (REAL / folder / "interactions.csv").is_file():
            pytest.skip(f"unpack {folder} into {REAL} to run this")
        log, rng = read(REAL / folder), np.random.default_rng(0)
        if learners is not None:
            chosen = rng.choice(len(log.learner_keys), learners, replace=False)
            log = log.only_learners(np.sort(chosen))
        _, first = np.unique(log.item, return_index=True)
        met = log.item[first]
        table = VersionTable(met, met, log.concepts[first])
        answers = FoldColumns(
            id=np.arange(1, len(log) + 1),
            learner_id=log.learner,
            version_id=log.item,
            credit=log.correct,
            attempt=np.ones(len(log), dtype=np.int64),
            hints_seen=log.assisted.astype(np.int64),
            answered_us=np.round(log.answered_at * 1e6).astype(np.int64),
            is_pilot=np.zeros(len(log), dtype=bool),
        )
        right = np.bincount(log.item, log.correct)[met] + 1.0
        share = right / (np.bincount(log.item)[met] + 2.0)
        concepts = range(len(log.concept_keys))
        reference = dict(zip(concepts, rng.normal(0.5, 0.5, len(concepts)).tolist(), strict=True))
        tracer = tracer_over(
            table,
            offsets=np.log(share / (1.0 - share)),
            reference=reference,
            parameters=FilterParameters(),
        )

        found = folder_of(tracer, table).fold_columns(answers=answers)

        assert told(found) == told(row_by_row(tracer, table, answers))
        assert sum(len(one.learner.mastered) for one in found.values()) > 10


def test_the_rule_for_passing_is_that_of_the_bands():
    """`bulk` names the two bounds; a third one in `band_of` would be missed without this."""
    for evidence in range(8):
        for lower in np.linspace(0.0, 1.0, 101).tolist():
            for prob in (lower, 1.0):
                is_mastered = (
                    band_of(prob=prob, lower_prob=lower, evidence_n=evidence) is Band.MASTERED
                )
                assert is_mastered == (
                    evidence >= bulk.MASTERED_EVIDENCE and lower >= bulk.MASTERED_LOWER_PROB
                )


def test_the_margin_is_wider_than_rounding_and_narrower_than_what_happens():
    assert 1e-12 < passing.PASSING_MARGIN < 1e-6


@pytest.fixture
def compiled(monkeypatch):
    monkeypatch.setattr(bulk, "COMPILED_FROM", 0)


@pytest.mark.django_db
class TestFold:
    def history(self, *, learner, course, rng):
        """Answers with ties, help and corrections, and some of them to a newer version."""
        recorded, now = [], AT
        versions = versions_of(course)
        for number in range(60):
            now += dt.timedelta(microseconds=int(rng.choice([0, 0, 1, 10**9, 86_400 * 10**6])))
            credit = float(rng.choice([0.0, 0.5, 1.0, 1.0]))
            response = record(
                learner=learner,
                course=course,
                version=versions[int(rng.integers(len(versions)))],
                credit=credit,
                is_correct=credit == 1.0,
                answered_at=now if number % 7 else AT + 3 * HOUR,
                attempt=int(rng.choice([1, 1, 2])),
                hints_seen=int(rng.choice([0, 0, 1])),
            )
            recorded.append(response)
        for response in recorded[::5]:
            correction = correct(response, is_correct=not response.is_correct)
            if response.pk % 2:
                correct(correction, is_correct=response.is_correct)

    @pytest.fixture
    def learners(self, organisation, course):
        rng = np.random.default_rng(5)
        found = [make_learner(organisation=organisation) for _ in range(4)]
        for learner in found[:3]:
            self.history(learner=learner, course=course, rng=rng)
        # A changed item has a new version, and both have answers.
        spec = small_course_spec()
        changed = dataclasses.replace(spec.items[0], stem="Asked in other words.")
        content_services.load_course(
            organisation=organisation,
            spec=dataclasses.replace(spec, items=(changed, *spec.items[1:])),
        )
        assert len(versions_of(course)) == len(spec.items) + 1
        self.history(learner=found[0], course=course, rng=rng)
        bulk_history(learner=found[1], course=course, size=300, start=AT + 90 * DAY)
        return found

    def test_equals_row_by_row_from_the_database(self, course, learners, compiled):
        tracer = tracer_of(course)
        ids = [learner.pk for learner in learners]

        folder = bulk.make_folder(tracer=tracer, answers=1)
        found = folder.fold(learner_ids=ids)

        assert folder.is_compiled
        assert told(found) == told(dict(services.fold_learners(tracer=tracer, learner_ids=None)))
        assert set(found) == set(ids[:3])

    def test_is_what_everybody_s_rebuild_stores(self, course, learners, compiled, monkeypatch):
        monkeypatch.setattr(rebuilding, "CHUNK_ANSWERS", 100)
        tracer = tracer_of(course)

        assert list(rebuilding.fold_everybody(tracer=tracer)) == [one.pk for one in learners[:3]]

        expected = told(dict(services.fold_learners(tracer=tracer, learner_ids=None)))
        rows = LearnerState.objects.values_list(
            "learner", "state", "last_answered_at", "last_response_id", "n_responses"
        )
        assert {pk: (bytes(raw), *rest) for pk, raw, *rest in rows} == expected

    def test_is_left_to_the_engine_where_numba_is_not(self, course, learners, monkeypatch):
        monkeypatch.setattr(bulk, "COMPILED_FROM", 0)
        monkeypatch.setattr(bulk.importlib.util, "find_spec", lambda name: None)
        tracer = tracer_of(course)

        folder = bulk.make_folder(tracer=tracer, answers=10**6)

        assert not folder.is_compiled
        assert set(folder.fold(learner_ids=[learners[0].pk])) == {learners[0].pk}

    def test_a_check_has_a_second_witness(self, course, learners, compiled, monkeypatch):
        tracer = tracer_of(course)
        list(rebuilding.fold_everybody(tracer=tracer))
        ids = [learner.pk for learner in learners[:3]]
        assert dict(rebuilding.find_differences(tracer=tracer)) == dict.fromkeys(ids, True)

        by_row = dict(services.fold_learners(tracer=tracer, learner_ids=ids[:2]))
        swapped = {ids[0]: by_row[ids[1]]}
        monkeypatch.setattr(
            rebuilding.services,
            "fold_learners",
            lambda *, tracer, learner_ids: iter(
                (pk, swapped.get(pk, by_row.get(pk))) for pk in learner_ids
            ),
        )

        told_apart = dict(rebuilding.find_differences(tracer=tracer, twin_ids=ids[:2]))
        assert told_apart == {ids[0]: False, ids[1]: True, ids[2]: True}
        assert dict(rebuilding.find_differences(tracer=tracer, twin_ids=[])) == dict.fromkeys(
            ids, True
        )

    def test_draws_twins_by_their_answers(self, course, learners):
        tracer = tracer_of(course)
        sizes = response_columns.count_standing(course_id=course.pk)

        drawn = [rebuilding.sample_twins(tracer=tracer, seed=s, answers=1) for s in range(12)]

        assert {len(one) for one in drawn} == {1}
        assert {pk for one in drawn for pk in one} == set(sizes)
        assert rebuilding.sample_twins(tracer=tracer, seed=0) == sorted(sizes)


@pytest.mark.django_db
class TestReadVersionTable:
    def test_has_every_version_with_its_concepts_in_their_order(self, course):
        table = read_version_table(course_id=course.pk)

        for version in versions_of(course):
            [row] = table.rows_of(np.array([version.pk]))
            links = version.concept_links.order_by("position").values_list("concept", flat=True)
            assert [k for k in table.concepts[row].tolist() if k >= 0] == list(links)
            assert table.item_ids[row] == version.item_id
        with pytest.raises(KeyError):
            table.rows_of(np.array([10**9]))
        assert response_selectors.FOLD_ORDER == ("answered_at", "id")
