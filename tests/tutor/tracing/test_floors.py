"""What is shown never falls on a right answer without help, whatever the model makes of it."""

import dataclasses
import datetime as dt

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kt_models.streaming.pool import PoolWeights
from tests.factories import AT
from tests.tutor.histories import record, trace, tracer_of, versions_of
from tutor.content import selectors as content_selectors
from tutor.responses.selectors import FoldRow
from tutor.tracing import engine, rebuilding, securing, selectors, services, standing
from tutor.tracing.bands import FLOOR_LASTS_S, Band, Floor
from tutor.tracing.deep import DeepPart, Prediction, Shifts
from tutor.tracing.models import HeldBand, LearnerState

pytestmark = pytest.mark.django_db

# A network that counts for more than any fitted one, and for less with every answer it has not
# seen: the raw model breaks the promise all the time.
WEIGHTS = PoolWeights((1.5, 0.9, 0.4, 0.1), aged=1.5, concepts=1.5)
MINUTE = dt.timedelta(minutes=1)

answers = st.tuples(
    st.sampled_from(["right", "right", "right", "wrong", "helped", "again", "pilot"]),
    st.integers(0, 2),
    st.integers(1, 2000),
)
predictions = st.lists(st.floats(-4.0, 4.0), min_size=3, max_size=3)


class Sitting:
    """One learner as the answer path moves them, without the tables."""

    def __init__(self, tracer, versions):
        self.tracer, self.versions = tracer, versions
        self.state, self.n, self.at = engine.start(tracer), 0, AT
        self.prediction = None
        self.held = 0

    def predict(self, logits):
        """A worker's new prediction, of the first items."""
        ids = np.array([version.pk for version in self.versions[: len(logits)]], dtype=np.int64)
        self.prediction = Prediction(
            pk=1,
            n_responses=self.n,
            at=self.at.timestamp(),
            shifts=Shifts.of(ids, np.array(logits)),
        )

    def shown(self, state=None):
        """The selector that serves every page."""
        return selectors.masteries_of(
            self.tracer,
            state or self.state,
            at=self.at,
            prediction=self.prediction,
            n_responses=self.n,
        )

    def answer(self, kind, which, minutes):
        """Answer; return whether the promise holds for it."""
        self.at += minutes * MINUTE
        version = self.versions[which]
        concepts = content_selectors.get_concepts_of_version(version_id=version.pk)
        row = FoldRow(
            id=self.n + 1,
            learner_id=1,
            version_id=version.pk,
            item_id=version.item_id,
            credit=0.0 if kind == "wrong" else 1.0,
            attempt=2 if kind == "again" else 1,
            hints_seen=int(kind == "helped"),
            answered_at=self.at,
            is_pilot=kind == "pilot",
        )
        before, old = self.shown(), self.state
        after = engine.fold_one(self.tracer, old, row=row, concept_ids=concepts)
        self.n += 1
        now = self.shown(after)
        is_promised = standing.is_unassisted(self.tracer, row)
        floors = standing.move_floors(
            old.floors,
            tracer=self.tracer,
            row=row,
            concept_ids=concepts,
            before=before if is_promised else {},
            after=now if is_promised else {},
        )
        self.state = dataclasses.replace(after, floors=floors)
        self.held += len(standing.find_held(before=before, after=now)) if is_promised else 0
        return not is_promised or not fallen(before, self.shown())


def fallen(before, after):
    return [pk for pk in before if after[pk].band.rank < before[pk].band.rank]


@pytest.fixture
def tracer(course):
    return tracer_of(course)


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=st.lists(st.one_of(answers, predictions), min_size=4, max_size=25))
def test_no_band_falls_on_a_right_answer(tracer, course, steps):
    deep = dataclasses.replace(tracer, deep=DeepPart(network_id=1, weights=WEIGHTS))
    for laid in (tracer, deep):
        sitting = Sitting(laid, versions_of(course)[:3])
        for step in steps:
            if isinstance(step, list):
                if laid is deep:
                    sitting.predict(step)
            else:
                assert sitting.answer(*step), step
        if laid is tracer:
            # The filter alone keeps the promise by itself: only networks need to be held to it.
            assert sitting.held == 0


def test_the_network_does_break_it_without_the_floor(tracer, course):
    """The partner of the test above, which a model that never falls would pass."""
    laid = dataclasses.replace(tracer, deep=DeepPart(network_id=1, weights=WEIGHTS))
    sitting = Sitting(laid, versions_of(course)[:3])
    for number in range(9):
        sitting.answer("right", number % 3, 1)
    sitting.predict([4.0, 4.0, 4.0])
    for which in (0, 1, 2):
        assert sitting.answer("right", which, 1)
    sitting.predict([-4.0, -4.0, -4.0])

    told = sitting.shown()

    assert any(one.is_held for one in told.values())
    assert all(one.band.rank >= one.modelled_band.rank for one in told.values())


def test_a_mistake_lifts_the_floor_and_a_day_does(tracer, course):
    laid = dataclasses.replace(tracer, deep=DeepPart(network_id=1, weights=WEIGHTS))
    sitting = Sitting(laid, versions_of(course)[:3])
    for number in range(30):
        sitting.answer("right", number % 3, 1)
    sitting.predict([-4.0, -4.0, -4.0])
    held = [pk for pk, one in sitting.shown().items() if one.is_held]
    assert held

    sitting.at += dt.timedelta(seconds=FLOOR_LASTS_S)
    assert not any(one.is_held for one in sitting.shown().values())

    sitting.at -= dt.timedelta(seconds=FLOOR_LASTS_S)
    concepts = {
        which: content_selectors.get_concepts_of_version(version_id=version.pk)
        for which, version in enumerate(sitting.versions)
    }
    which = next(w for w, pks in concepts.items() if set(pks) & set(held))
    sitting.answer("wrong", which, 1)
    told = sitting.shown()
    assert not any(told[pk].is_held for pk in concepts[which])


def test_the_answer_path_secures_the_band_and_counts_the_breach(course, learner, monkeypatch):
    tracer, versions = tracer_of(course), versions_of(course)
    # The network lifts a beginner to mastery, and does not count at all after the next answer.
    fickle = DeepPart(network_id=1, weights=PoolWeights((1.5,), aged=1.5, concepts=1.5))
    laid = dataclasses.replace(tracer, deep=fickle)
    for number in range(6):
        response = record(
            learner=learner,
            course=course,
            version=versions[0],
            answered_at=AT + number * MINUTE,
            is_correct=False,
            credit=0.0,
        )
        trace(response, course=course)
    ids = np.array([version.pk for version in versions], dtype=np.int64)
    shifts = Shifts.of(ids, np.full(len(ids), 4.0))
    prediction = Prediction(pk=1, n_responses=6, at=AT.timestamp(), shifts=shifts)
    at = AT + 20 * MINUTE
    response = record(learner=learner, course=course, version=versions[0], answered_at=at)
    state = selectors.get_state(learner_id=learner.pk, tracer=tracer)

    secured = securing.secure(
        tracer=laid,
        response=response,
        row=services._fold_row(response, item_id=versions[0].item_id),
        before=state,
        after=state,
        n_responses=6,
        prediction=prediction,
    )

    [concept] = content_selectors.get_concepts_of_version(version_id=versions[0].pk)
    assert secured.floors[concept].band is Band.MASTERED
    breach = HeldBand.objects.get(concept=concept)
    assert (breach.shown, breach.modelled) == ("mastered", "learning")
    assert breach.response == response


def test_a_stored_floor_comes_back_and_a_rebuild_drops_it(course, learner):
    tracer, versions = tracer_of(course), versions_of(course)
    for number in range(12):
        response = record(
            learner=learner,
            course=course,
            version=versions[number % 3],
            answered_at=AT + number * MINUTE,
        )
        trace(response, course=course)
    stored = LearnerState.objects.get(learner=learner)
    assert stored.floors
    state = selectors.get_state(learner_id=learner.pk, tracer=tracer)
    assert standing.pack_floors(state.floors) == stored.floors

    list(rebuilding.fold_everybody(tracer=tracer))

    assert LearnerState.objects.get(learner=learner).floors == {}


def test_a_floor_of_a_clock_that_was_set_back_holds():
    assert Floor(Band.MASTERED, since=100.0).holds(50.0)
