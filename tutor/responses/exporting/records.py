"""From stored answers to the rows of the file."""

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tutor.responses.exporting import selectors
from tutor.responses.exporting.choice import Choice, Times
from tutor.responses.exporting.pseudonyms import Pseudonyms
from tutor.responses.exporting.selectors import Asked, Counted

# Values in the order of `columns_of`: text, numbers, moments of UTC that name no zone, None for
# what is not known.
Record = tuple[Any, ...]


class Records:
    """Makes rows of answers. Nothing of the database but what a column tells goes into them."""

    def __init__(
        self,
        *,
        choice: Choice,
        names: Pseudonyms,
        learners: Iterable[Counted],
        asked: Mapping[int, Asked],
    ) -> None:
        """Prepare what many rows share; `names` are under the choice's salt."""
        self._choice = choice
        self._learners: dict[int, str] = {}
        self._earlier: dict[int, dt.timedelta] = {}
        for own in learners:
            self._learners[own.learner_id] = names.of_learner(own.pseudonym)
            if choice.times is Times.SHIFTED:
                days = names.days_of(own.pseudonym)
                self._earlier[own.learner_id] = dt.timedelta(days=days)
        self._asked = {
            version: (found.item, "|".join(found.concepts)) for version, found in asked.items()
        }
        self._groups = _groups(choice, names) if choice.has_group else {}

    def make(self, answers: Sequence[tuple[Any, ...]]) -> list[Record]:
        """Return the rows of answers that are as `selectors.ANSWER` says."""
        learners, asked = self._learners, self._asked
        rows = []
        for answer in answers:
            item, concepts = asked[answer[1]]
            moment = answer[3]
            # PostgreSQL gives zones; SQLite has none and keeps UTC.
            if moment.tzinfo is not None:
                moment = moment.astimezone(dt.UTC).replace(tzinfo=None)
            told = (*answer[4:7], int(answer[7]))
            rows.append((learners[answer[0]], item, answer[2], concepts, moment, *told))
        if self._choice.times is not Times.EXACT:
            rows = [
                (*row[:4], *self._told(answer[0], row[4]), *row[5:])
                for answer, row in zip(answers, rows, strict=True)
            ]
        if self._choice.has_group:
            groups = (self._groups.get(answer[0]) for answer in answers)
            rows = [(*row, group) for row, group in zip(rows, groups, strict=True)]
        if self._choice.has_answers:
            given = (_as_json(answer[8]) for answer in answers)
            rows = [(*row, answer) for row, answer in zip(rows, given, strict=True)]
        return rows

    def _told(self, learner_id: int, moment: dt.datetime) -> tuple[dt.datetime, ...]:
        """Return what is told of the moment of an answer, where that is not all."""
        if self._choice.times is Times.NONE:
            return ()
        return (moment - self._earlier[learner_id],)


def _groups(choice: Choice, names: Pseudonyms) -> dict[int, str]:
    """Return learner -> what stands in the column `group`; whoever is in no class is left out."""
    return {
        learner: "|".join(
            name if choice.has_class_names else names.of_class(public_id)
            for public_id, name in classes
        )
        for learner, classes in selectors.read_groups(choice=choice).items()
    }


def _as_json(answer: Any) -> str:
    # PostgreSQL orders keys in its own way.
    return json.dumps(answer, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
