"""What one answer proves and secures, beside moving the estimate. Data in and data out.

Two promises to a learner hang on it. An award: two unassisted right answers a day apart, with the
lower bound of mastery above the class's threshold after each, and it stays for good. And a floor:
the band that is shown never falls on an unassisted right answer, whatever the model makes of it.
"""

import datetime as dt
import math
from collections.abc import Mapping, Sequence

from tutor.responses.selectors import FoldRow
from tutor.tracing import engine
from tutor.tracing.bands import MASTERED_EVIDENCE, Band, Floor, Mastery

# Two proofs on the same evening say that something is remembered till bedtime.
BETWEEN_PROOFS = dt.timedelta(days=1)
# "Learning" is what everybody has who has answered at all: it cannot be lost.
WORTH_HOLDING = Band.NEARLY_THERE


def does_count(tracer: engine.CourseTracer, row: FoldRow) -> bool:
    """Test whether an answer says anything: its item is neither being tried out nor excluded."""
    return not row.is_pilot and tracer.var_of_version.get(row.version_id) != math.inf


def is_unassisted(tracer: engine.CourseTracer, row: FoldRow) -> bool:
    """Test whether an answer was a right one at the first try, without help, and counts."""
    is_alone = row.attempt == 1 and row.hints_seen == 0
    return row.credit >= 1.0 and is_alone and does_count(tracer, row)


def find_proofs(
    tracer: engine.CourseTracer,
    after: engine.TracedLearner,
    *,
    row: FoldRow,
    concept_ids: Sequence[int],
) -> dict[int, float]:
    """Return concept id -> lower bound of mastery after an answer that can prove something.

    By the filter alone: what is given for good is to come out the same from the log at any time,
    and deep predictions arrive whenever a worker has them.
    """
    if not is_unassisted(tracer, row):
        return {}
    found = {}
    for pk in concept_ids:
        if pk in tracer.bank.index_of_concept:
            estimate = engine.estimate_concept(
                tracer, after, concept_id=pk, at=row.answered_at.timestamp()
            )
            if estimate.evidence_n >= MASTERED_EVIDENCE:
                found[pk] = estimate.lower_prob
    return found


def move_floors(
    floors: Mapping[int, Floor],
    *,
    tracer: engine.CourseTracer,
    row: FoldRow,
    concept_ids: Sequence[int],
    before: Mapping[int, Mastery],
    after: Mapping[int, Mastery],
) -> dict[int, Floor]:
    """Return the floors after an answer.

    A right answer without help secures for a day the better of the bands shown before and after
    it, and the band of every other concept that would fall with it. Any other answer that counts
    lifts the floors of its own concepts: their estimates may fall then.

    Args:
        floors: those in force until now.
        tracer: the live one.
        row: the answer.
        concept_ids: of its item.
        before: what was shown until then, of these concepts at least.
        after: what the estimates of the same are now.
    """
    if not does_count(tracer, row):
        return dict(floors)
    now = row.answered_at.timestamp()
    kept = {pk: floor for pk, floor in floors.items() if pk not in concept_ids and floor.holds(now)}
    if is_unassisted(tracer, row):
        secured = {*concept_ids, *find_held(before=before, after=after)}
        for pk in secured & before.keys():
            mastery = before[pk]
            best = max(mastery.band, after[pk].modelled_band, key=lambda band: band.rank)
            if best.rank >= WORTH_HOLDING.rank:
                kept[pk] = Floor(band=best, since=now)
    return kept


def find_held(*, before: Mapping[int, Mastery], after: Mapping[int, Mastery]) -> list[int]:
    """Return the concepts of which the estimate alone would now show less than was shown."""
    return [
        pk for pk, mastery in before.items() if after[pk].modelled_band.rank < mastery.band.rank
    ]


def pack_floors(floors: Mapping[int, Floor]) -> dict[str, list[object]]:
    """Return floors as they are stored."""
    return {str(pk): [floor.band.value, floor.since] for pk, floor in floors.items()}


def unpack_floors(stored: Mapping[str, Sequence[object]]) -> dict[int, Floor]:
    """Return floors that `pack_floors` wrote."""
    return {int(pk): Floor(Band(band), float(since)) for pk, (band, since) in stored.items()}  # type: ignore[arg-type]
