"""Folding many learners at once, compiled: byte for byte what `engine.fold` gives row by row.

For workers and commands; the web process never loads it. The filter's arithmetic is the same
source as the streaming filter's. Whether a concept was mastered on the way is decided here only
where it is certain; a learner with a moment on the very edge is folded by the engine.
"""

import datetime as dt
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kt_models import api
from tutor.content.version_table import VersionTable, read_version_table
from tutor.responses import columns as response_columns
from tutor.responses.columns import FoldColumns
from tutor.tracing import engine, services
from tutor.tracing.bands import MASTERED_EVIDENCE, MASTERED_LOWER_PROB
from tutor.tracing.services import FoldedLearner

# Below this the engine is done before compiled code is loaded.
COMPILED_FROM = 30_000


@dataclass(frozen=True, slots=True)
class Folder:
    """Folds learners of one course under one tracer version.

    Attributes:
        table: the course's item versions; None where learners are folded row by row, because
            there are few answers or numba is not installed. The bytes are the same.
        offsets: (V,) offset of each version of the table; nan for those that the tracer's bank
            did not have yet.
        variances: (V,) their variances, inf where answers do not count.
    """

    tracer: engine.CourseTracer
    table: VersionTable | None
    offsets: engine.Floats
    variances: engine.Floats

    @property
    def is_compiled(self) -> bool:
        """Whether compiled code folds."""
        return self.table is not None

    def fold(self, *, learner_ids: Sequence[int]) -> dict[int, FoldedLearner]:
        """Return learner id -> state folded from the whole log, for those who have answers.

        Raises:
            KeyError: an answer is to an item version that came after this was made.
        """
        if self.table is None:
            return dict(services.fold_learners(tracer=self.tracer, learner_ids=learner_ids))
        answers = response_columns.read_columns(
            course_id=self.tracer.bank.course_id, learner_ids=learner_ids
        )
        return self.fold_columns(answers=answers) if len(answers) else {}

    def fold_columns(self, *, answers: FoldColumns) -> dict[int, FoldedLearner]:
        """Return the same of answers that have been read, at least one, by compiled code."""
        assert self.table is not None  # noqa: S101 - only then there is something to compile for
        rows = self.table.rows_of(answers.version_id)
        offsets = self.offsets[rows]
        if np.isnan(offsets).any():
            unknown = int(answers.version_id[np.isnan(offsets)][0])
            raise KeyError(unknown)
        starts, answered_at = answers.starts, answers.answered_at
        folded = api.fold_and_pass(
            self.tracer.parameters,
            starts=starts,
            concepts=self.table.concepts[rows],
            item_offsets=offsets,
            correct=answers.credit,
            answered_at=answered_at,
            assisted=answers.assisted,
            rule=api.PassingRule(
                reference_offsets=self.tracer.reference_of_concept,
                evidence=MASTERED_EVIDENCE,
                lower_prob=MASTERED_LOWER_PROB,
            ),
            item_vars=np.where(answers.is_pilot, np.inf, self.variances[rows]),
        )
        newest = np.empty(len(answers), dtype=engine.RECENT_ROW)
        newest["item"], newest["at"] = self.table.item_ids[rows], answered_at
        newest["credit"], newest["again"] = answers.credit, answers.attempt > 1
        found = {}
        bounds = zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True)
        for (first, last), own in zip(bounds, folded, strict=True):
            recent = newest[max(first, last - engine.RECENT_ANSWERS) : last]
            found[int(answers.learner_id[first])] = FoldedLearner(
                learner=engine.TracedLearner(own.state, recent, own.passed.astype("<i8")),
                last_answered_at=_moment(int(answers.answered_us[last - 1])),
                last_response_id=int(answers.id[last - 1]),
                n_responses=last - first,
            )
        learners = answers.learner_id[starts[:-1]].tolist()
        edge = [pk for pk, own in zip(learners, folded, strict=True) if not own.is_decided]
        return found | (
            dict(services.fold_learners(tracer=self.tracer, learner_ids=edge)) if edge else {}
        )


def make_folder(*, tracer: engine.CourseTracer, answers: int) -> Folder:
    """Return what folds learners, compiled if there are that many answers to fold."""
    if answers < COMPILED_FROM or importlib.util.find_spec("numba") is None:
        return Folder(tracer, None, np.empty(0), np.empty(0))
    table = read_version_table(course_id=tracer.bank.course_id)
    offset_of = tracer.offset_of_version
    offsets = [offset_of.get(pk, np.nan) for pk in table.version_ids.tolist()]
    variances = [tracer.var_of_version.get(pk, 0.0) for pk in table.version_ids.tolist()]
    return Folder(tracer, table, np.array(offsets), np.array(variances))


def _moment(microseconds: int) -> dt.datetime:
    return response_columns.EPOCH + dt.timedelta(microseconds=microseconds)
