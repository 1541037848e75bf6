"""The predictions of an evaluation as files: arrays for programs, a table for people."""

import csv
import dataclasses
import io
from pathlib import Path

import numpy as np

from kt_models.data.log import ResponseLog
from kt_models.evaluation.figures import ScoredAnswers
from kt_models.runs.files import write_text, writing
from kt_models.runs.folder import PREDICTIONS, RunUnreadable

NPZ, CSV = PREDICTIONS


def read_answers(path: Path) -> ScoredAnswers:
    """Return the scored answers and predictions that an evaluation left.

    Raises:
        RunUnreadable: the file is missing or damaged.
    """
    names = [f.name for f in dataclasses.fields(ScoredAnswers)]
    try:
        with np.load(path / NPZ) as arrays:
            return ScoredAnswers(**{name: arrays[name] for name in names})
    except (OSError, ValueError, KeyError) as error:
        raise RunUnreadable(f"{path / NPZ}: {error}; is it a finished evaluation?") from error


def write_answers(path: Path, test: ResponseLog, answers: ScoredAnswers) -> None:
    """Write what was predicted into a folder that is there.

    Raises:
        CannotWrite: it cannot be written to.
    """
    arrays = {f.name: getattr(answers, f.name) for f in dataclasses.fields(answers)}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["learner", "position", "item", "correct", "predicted"])
    for learner, position, item, correct, prob in zip(
        *(array.tolist() for array in arrays.values()), strict=True
    ):
        keys = test.learner_keys[learner], position, test.item_keys[item]
        writer.writerow([*keys, f"{correct:g}", f"{prob:.6f}"])
    with writing(path):
        part = path / f"{NPZ}.part"
        with part.open("wb") as file:
            np.savez_compressed(file, **arrays)
        part.replace(path / NPZ)
        write_text(path / CSV, text.getvalue())
