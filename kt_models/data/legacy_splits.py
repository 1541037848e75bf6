"""The splits that CAKT, AKT and DKVMN were published on: three lines per learner, no items.

Their protocol is kept as it was, for comparison with the papers only. In "assist2009_updated" a
question with several skills is several rows with one and the same answer, one after the other, so
that a model can copy the answer it is asked for: every figure on that set is inflated.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kt_models.data.csv_log import LogUnreadable
from kt_models.data.log import ResponseLog, build_log


@dataclass(frozen=True, slots=True)
class LegacySet:
    """One of the published sets and the protocol it was published with.

    Attributes:
        folder: name of its folder and of its files' first part.
        leaky: whether answers are repeated in later rows.
        published_auc: test AUC of CAKT (Su et al. 2023, Table 3), the best epoch on the test.
        folded: whether longer sequences are cut at LONGEST answers; else they are dropped.
    """

    folder: str
    leaky: bool
    published_auc: float
    folded: bool


LEGACY_SETS = {
    "assist2009": LegacySet("assist2009_updated", leaky=True, published_auc=0.8237, folded=False),
    "assist2015": LegacySet("assist2015", leaky=False, published_auc=0.7331, folded=False),
    "assist2017": LegacySet("assist2017", leaky=False, published_auc=0.7368, folded=True),
    "statics": LegacySet("STATICS", leaky=False, published_auc=0.8278, folded=True),
}
LONGEST = 201
SHORTEST_WHOLE = 10
SHORTEST_PIECE = 5


@dataclass(frozen=True, slots=True)
class LegacySplit:
    """Both sides of a published split, with one vocabulary; a "learner" may be a piece of one."""

    train: ResponseLog
    test: ResponseLog


def read_legacy_split(folder: Path, kind: LegacySet) -> LegacySplit:
    """Return the published training and test sequences, filtered or folded as published.

    Sequences of the same learner keep the learner's number before the colon of their key.

    Args:
        folder: where the folder of the set lies.
        kind: see LEGACY_SETS.

    Raises:
        LogUnreadable: a file is missing or not in the three-line format.
    """
    sides = []
    for part in ("train", "test"):
        whole = _read(folder / kind.folder / f"{kind.folder}_{part}.csv")
        sides.append(
            [
                (f"{part} {place}:{first}", concepts, correct)
                for place, sequence in enumerate(whole)
                for first, concepts, correct in _kept(*sequence, folded=kind.folded)
            ]
        )
    names = [(key, len(concepts)) for side in sides for key, concepts, _ in side]
    concepts = [c for side in sides for _, concepts, _ in side for c in concepts]
    log = build_log(
        learners=[key for key, count in names for _ in range(count)],
        items=concepts,
        concepts=[(concept,) for concept in concepts],
        correct=np.array([a for side in sides for _, _, right in side for a in right], dtype=float),
        answered_at=None,
    )
    order = {key: place for place, key in enumerate(log.learner_keys)}
    train, test = (np.array([order[key] for key, _, _ in side], dtype=np.int64) for side in sides)
    return LegacySplit(train=log.only_learners(train), test=log.only_learners(test))


def split_off_validation(
    log: ResponseLog, *, share: float = 0.1, seed: int = 0
) -> tuple[ResponseLog, ResponseLog]:
    """Return (the rest, a share of the learners), every learner with all the pieces.

    The published program chose its epoch on the test file; nobody need do so.
    """
    whole = [key.split(":")[0] for key in log.learner_keys]
    learners = sorted(set(whole))
    chosen = np.random.default_rng(seed).permutation(len(learners))[: round(share * len(learners))]
    held_out = {learners[place] for place in chosen.tolist()}
    out = np.array([learner in held_out for learner in whole], dtype=bool)
    return log.only_learners(np.flatnonzero(~out)), log.only_learners(np.flatnonzero(out))


def _kept(
    concepts: list[str], correct: list[str], *, folded: bool
) -> list[tuple[int, list[str], list[str]]]:
    """Return (first answer, concepts, outcomes) of the sequences that the protocol keeps."""
    count = len(concepts)
    if not folded:
        keep = SHORTEST_WHOLE <= count <= LONGEST
        return [(0, concepts, correct)] if keep else []
    cuts = ((first, min(first + LONGEST, count)) for first in range(0, count, LONGEST))
    return [
        (first, concepts[first:last], correct[first:last])
        for first, last in cuts
        if last - first >= SHORTEST_PIECE
    ]


def _read(path: Path) -> list[tuple[list[str], list[str]]]:
    """Return (concepts, outcomes) of each learner from lines of length, concepts, outcomes."""
    if not path.is_file():
        raise LogUnreadable(f"{path} is not there; unpack the published splits beside it.")
    lines = [line.strip().rstrip(",") for line in path.read_text().splitlines() if line.strip()]
    if len(lines) % 3:
        raise LogUnreadable(f"{path} has {len(lines)} lines, not three for each learner.")
    sequences = []
    for first in range(0, len(lines), 3):
        concepts, correct = (lines[first + place].split(",") for place in (1, 2))
        if not len(concepts) == len(correct) == int(lines[first]) or set(correct) - {"0", "1"}:
            raise LogUnreadable(
                f"{path}, line {first + 1}: the next two lines must be that many concepts and as "
                "many 0 or 1."
            )
        sequences.append((concepts, correct))
    return sequences
