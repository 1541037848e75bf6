"""What the tutor believes of the simulated cohort, held against what is true of it."""

import datetime as dt
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tutor.accounts.models import AuditEntry
from tutor.common.errors import TutorError
from tutor.content import selectors as content_selectors
from tutor.content.models import Course
from tutor.content.selectors import CourseBank
from tutor.demo import cohort, seeding
from tutor.responses.models import Response
from tutor.tracing import selectors as tracing_selectors
from tutor.tracing import services as tracing_services
from tutor.tracing.bands import Band

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
BINS = 10


class NothingToCompare(TutorError):
    """There is no demo school, or its log is not the cohort's any more."""

    code = "demo.nothing-to-compare"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Estimates and truth of P pairs of a learner and a concept that they practised.

    Both are of the moment right after the learner's last simulated answer.

    Attributes:
        concept: (P,) index of the concept.
        estimate: (P,) mastery as shown: P(unassisted right answer) on the reference item.
        band: (P,) the words shown for it.
        on_bank: (P,) true probability, averaged over the concept's items.
        on_item: (P,) true probability on the concept's item of median true difficulty.
        learners, left_out: how many are compared; how many have practised here since.
    """

    concept: Ints
    estimate: Floats
    band: tuple[Band, ...]
    on_bank: Floats
    on_item: Floats
    learners: int
    left_out: int


def compare() -> Comparison:
    """Simulate the demo's cohort again and compare it with the stored states.

    Raises:
        NothingToCompare: the demo school is not there, or its course has changed since.
    """
    entry = AuditEntry.objects.filter(action=seeding.DONE).order_by("-pk").first()
    if entry is None:
        raise NothingToCompare("There is no demo school yet: run manage.py seed_demo.")
    course = Course.objects.get(pk=entry.facts["course"])
    bank = content_selectors.get_bank(course_id=course.pk, revision=course.revision)
    lives = cohort.simulate(
        bank=bank,
        end_at=dt.datetime.fromisoformat(entry.facts["cohort_end_at"]),
        learners=entry.facts["cohort_learners"],
    )
    learner_ids = _learner_ids(lives, bank)
    return _compare(course, lives, learner_ids)


def _learner_ids(lives: cohort.Cohort, bank: CourseBank) -> list[int]:
    """Return the learners' database ids by their place in the cohort.

    Raises:
        NothingToCompare: an answer of the cohort is not in the log as it was simulated.
    """
    rows = Response.objects.filter(course=bank.course_id, source=cohort.SOURCE)
    stored = {
        key: (learner, version, is_correct)
        for key, learner, version, is_correct in rows.values_list(
            "client_key", "learner", "item_version", "is_correct"
        )
    }
    log, found = lives.responses, {}
    for row, (learner, item) in enumerate(
        zip(log.learner.tolist(), log.item.tolist(), strict=True)
    ):
        known = stored.get(cohort.client_key(learner=learner, row=row))
        if known is None or known[1:] != (int(bank.version_ids[item]), bool(log.correct[row])):
            raise NothingToCompare(
                "The log is not that of the cohort: the course has changed since it was simulated.",
                learner=learner,
                row=row,
            )
        found[learner] = known[0]
    return [found[learner] for learner in range(len(lives.entry))]


def _compare(course: Course, lives: cohort.Cohort, learner_ids: list[int]) -> Comparison:
    tracer = tracing_selectors.get_tracer(course_id=course.pk, revision=course.revision)
    main = np.array([item.concepts[0] for item in lives.course.items])
    parts: list[tuple[Ints, Floats, list[Band], Floats, Floats]] = []
    for learner, learner_id in enumerate(learner_ids):
        own = lives.rows_of(learner)
        opened = tracing_services.open_state(learner_id=learner_id, tracer=tracer)
        if opened.stored is None or opened.stored.n_responses != own.stop - own.start:
            continue
        met = np.unique(main[lives.responses.item[own]])
        at = dt.datetime.fromtimestamp(float(lives.snapshot_at[learner, 0]), tz=dt.UTC)
        masteries = tracing_selectors.masteries_of(tracer, opened.learner, at=at)
        shown = [masteries[pk] for pk in tracer.bank.concept_ids[met].tolist()]
        parts.append(
            (
                met,
                np.array([one.prob for one in shown]),
                [one.band for one in shown],
                lives.bank_probs[learner, 0, met],
                lives.reference_probs[learner, 0, met],
            )
        )
    if not parts:
        raise NothingToCompare("Everybody in the cohort has practised here since.")
    concept, estimate, bands, on_bank, on_item = zip(*parts, strict=True)
    return Comparison(
        concept=np.concatenate(concept),
        estimate=np.concatenate(estimate),
        band=tuple(band for own in bands for band in own),
        on_bank=np.concatenate(on_bank),
        on_item=np.concatenate(on_item),
        learners=len(parts),
        left_out=len(learner_ids) - len(parts),
    )


def correlation(estimate: Floats, truth: Floats) -> float:
    """Return Pearson's correlation."""
    return float(np.corrcoef(estimate, truth)[0, 1])


def correlation_within(estimate: Floats, truth: Floats, concept: Ints) -> float:
    """Return the correlation of what is left when every concept's mean is taken off.

    It compares learners on the same concept: knowing which concepts are hard earns nothing.
    """
    estimate, truth = estimate.copy(), truth.copy()
    for one in np.unique(concept):
        own = concept == one
        estimate[own] -= estimate[own].mean()
        truth[own] -= truth[own].mean()
    return correlation(estimate, truth)


def calibration_error(estimate: Floats, truth: Floats) -> float:
    """Return the mean distance of estimated and true probability in bins of equal count, 0..1."""
    order = np.argsort(estimate, kind="stable")
    bins = [own for own in np.array_split(order, BINS) if own.size]
    gaps = [abs(estimate[own].mean() - truth[own].mean()) * own.size for own in bins]
    return float(sum(gaps) / len(estimate))
