"""Research logs that give each learner's answers on a few lines of comma-separated lists.

None of them has times: answers are in the order of the lists.
"""

import ast
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from kt_models.data.csv_log import LogUnreadable
from kt_models.data.log import ResponseLog, build_log
from kt_models.data.research_logs.tables import require

FOLDS = 5
_Answer = tuple[str, tuple[str, ...], str]


@dataclass(slots=True)
class _Rows:
    """One value per answer, filled learner by learner."""

    learners: list[str] = field(default_factory=list)
    items: list[str] = field(default_factory=list)
    concepts: list[tuple[str, ...]] = field(default_factory=list)
    correct: list[float] = field(default_factory=list)

    def add(self, learner: str, answers: Iterable[_Answer]) -> None:
        for item, concepts, correct in answers:
            self.learners.append(learner)
            self.items.append(item)
            self.concepts.append(concepts)
            self.correct.append(float(correct))

    def log(self) -> ResponseLog:
        return build_log(
            learners=self.learners,
            items=self.items,
            concepts=self.concepts,
            correct=np.array(self.correct),
            answered_at=None,
        )


def read_akt_assist2009(folder: Path) -> ResponseLog:
    """Return AKT's ASSISTments 2009 (Ghosh et al. 2020) from assist2009_pid_test1 to 5.csv.

    The five test files hold all learners. Their rows repeat an answer once per skill of its
    problem, from which a model could read the answer off: such runs (the same problem and outcome,
    another skill) become one row with the set of skills again.

    Raises:
        LogUnreadable: a file is missing or its lines do not fit together.
    """
    return _read_akt(folder, "assist2009_pid", runs_are_one=True)


def read_akt_assist2017(folder: Path) -> ResponseLog:
    """Return AKT's ASSISTments 2017 (Ghosh et al. 2020) from assist2017_pid_test1 to 5.csv.

    The five test files hold all learners. An action log: a row per try, with one skill each.

    Raises:
        LogUnreadable: a file is missing or its lines do not fit together.
    """
    return _read_akt(folder, "assist2017_pid", runs_are_one=False)


def _read_akt(folder: Path, stem: str, *, runs_are_one: bool) -> ResponseLog:
    rows = _Rows()
    for fold in range(1, FOLDS + 1):
        path = folder / f"{stem}_test{fold}.csv"
        for line, (head, items, skills, correct) in _groups(path, 4):
            cells = _zip(path, line, items, skills, correct)
            answers: list[_Answer] = [(item, (skill,), right) for item, skill, right in cells]
            rows.add(head.split(",")[-1], _merge_runs(answers) if runs_are_one else answers)
    return rows.log()


def _merge_runs(answers: list[_Answer]) -> list[_Answer]:
    """Return the answers with rows of one problem, outcome and different skills made one."""
    merged: list[_Answer] = []
    for item, skills, correct in answers:
        if merged and merged[-1][::2] == (item, correct) and skills[0] not in merged[-1][1]:
            merged[-1] = (item, merged[-1][1] + skills, correct)
        else:
            merged.append((item, skills, correct))
    return merged


def read_synthetic5(folder: Path, *, version: int = 0) -> ResponseLog:
    """Return one version of Synthetic-5 (Piech et al. 2015): 4,000 simulated learners, 50 items.

    Train and test file together. Which of the five concepts an item has is not told, so every item
    is a concept of its own.

    Raises:
        LogUnreadable: a file is missing or its lines do not fit together.
    """
    rows = _Rows()
    for part in ("train", "test"):
        path = folder / f"naive_c5_q50_s4000_v{version}_{part}.csv"
        for line, (_, items, correct) in _groups(path, 3):
            answers = _zip(path, line, items, correct)
            rows.add(f"{part}-{line}", ((item, (), right) for item, right in answers))
    return rows.log()


def read_ednet_sample(folder: Path) -> ResponseLog:
    """Return the EdNet sample of PEBG (Liu et al. 2020) from data.txt and its dictionaries.

    Four lines a learner: length, skill sets, problems, outcomes. A problem's set of skills is
    named "19;2;181" in pro_skill_dict.txt; its parts are the concepts.

    Raises:
        LogUnreadable: a file is missing, its lines do not fit together, or a problem has no name.
    """
    names = {number: name for name, number in _literal(folder / "pro_id_dict.txt").items()}
    skills = _literal(folder / "pro_skill_dict.txt")
    try:
        of_item = {str(n): tuple(str(skills[name]).split(";")) for n, name in names.items()}
    except KeyError as error:
        raise LogUnreadable(f"{folder / 'pro_skill_dict.txt'}: {error} is missing.") from error
    rows, path = _Rows(), folder / "data.txt"
    for line, (_, _, items, correct) in _groups(path, 4):
        answers = _zip(path, line, items.strip("[]"), correct.strip("[]"))
        try:
            rows.add(f"l{line // 4}", ((item, of_item[item], right) for item, right in answers))
        except KeyError as error:
            msg = f"{path}, line {line + 2}: problem {error} is not in pro_id_dict.txt."
            raise LogUnreadable(msg) from error
    return rows.log()


def _literal(path: Path) -> dict[str, int | str]:
    try:
        value = ast.literal_eval(require(path).read_text(encoding="utf-8"))
    except (ValueError, SyntaxError) as error:
        raise LogUnreadable(f"{path}: not a Python dictionary ({error}).") from error
    if not isinstance(value, dict):
        raise LogUnreadable(f"{path}: not a Python dictionary.")
    return value


def _groups(path: Path, size: int) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield (number of the first line from 1, the lines) of each learner."""
    lines = require(path).read_text(encoding="utf-8").splitlines()
    if len(lines) % size or not lines:
        raise LogUnreadable(f"{path}: {len(lines)} lines are no whole number of {size} a learner.")
    for start in range(0, len(lines), size):
        yield start + 1, tuple(lines[start : start + size])


def _zip(path: Path, line: int, *lists: str) -> Iterator[tuple[str, ...]]:
    """Return the lists' entries side by side; the files end lists with a comma or do not."""
    cells = [[cell.strip() for cell in text.rstrip(",").split(",")] for text in lists]
    if len(set(map(len, cells))) != 1:
        lengths = ", ".join(str(len(c)) for c in cells)
        raise LogUnreadable(f"{path}, line {line}: lists of {lengths} entries belong together.")
    if not set(cells[-1]) <= {"0", "1"}:
        strange = next(itertools.filterfalse({"0", "1"}.__contains__, cells[-1]))
        raise LogUnreadable(f"{path}, line {line}: outcome {strange!r} is neither 0 nor 1.")
    return zip(*cells, strict=True)
