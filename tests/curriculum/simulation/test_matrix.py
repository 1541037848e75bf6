"""The matrix: what it leaves out, what it says, and how the command behaves."""

import csv
import json

import numpy as np
import pytest

from curriculum.bandits import make_policy
from curriculum.cli import main
from curriculum.simulation import matrix
from curriculum.simulation.drawn_course import CourseShape
from curriculum.simulation.judging import judge
from curriculum.simulation.matrix import Cell, Plan, draw_matrix
from curriculum.simulation.measures import Figure
from curriculum.simulation.practising import Outcome
from curriculum.simulation.students import LEARNING, SIMULATORS
from curriculum.simulation.timetable import Timetable


@pytest.fixture(autouse=True)
def few_taught_learners(monkeypatch):
    monkeypatch.setattr(matrix, "LEARNERS_EACH", 3)


def small_plan(**changes):
    settings = {
        "simulators": ("bkt", "noise"),
        "learners": 4,
        "seed": 1,
        "timetable": Timetable(minutes=6.0),
        "shape": CourseShape(concepts=4, items_each=4),
    }
    return Plan(**(settings | changes))


def test_the_tracer_never_met_the_simulator_it_is_judged_on(monkeypatch):
    fitted_on = []

    def note(logs, course, *, seed):
        fitted_on.append(len(logs))
        return original(logs, course, seed=seed)

    original = matrix.fit_tracer
    monkeypatch.setattr(matrix, "fit_tracer", note)
    rooms = list(matrix.open_rooms(small_plan()))

    # A control is no source of answers to fit on, so with it all others are.
    assert fitted_on == [len(LEARNING) - 1, len(LEARNING)]
    assert rooms[0].tracer.parameters != rooms[1].tracer.parameters
    assert matrix._kin("dkt-2") == {"dkt-2", "growth"}


def test_a_matrix_is_made_anew_from_its_seed_and_nought_is_learnt_from_noise():
    policies = {name: make_policy(name) for name in ("gain-softmax", "uniform")}
    told = []
    cells = draw_matrix(small_plan(), policies, progress=told.append)
    again = draw_matrix(small_plan(), policies)

    assert [(c.simulator, c.policy) for c in cells] == [
        ("bkt", "gain-softmax"),
        ("bkt", "uniform"),
        ("noise", "gain-softmax"),
        ("noise", "uniform"),
    ]
    assert [c.figures for c in cells] == [c.figures for c in again]
    assert len(told) == matrix.count_steps(small_plan(), 2)
    assert all((c.gains == 0.0).all() for c in cells if c.simulator == "noise")
    assert cells[0].figures["gain"].value > 0.0


def cell(simulator, policy, gain, *, spread=0.0, seed=0):
    noise = spread * np.random.default_rng(seed).standard_normal(40)
    figure = Figure(gain, gain - 0.01, gain + 0.01, 0.005)
    kind = "control" if simulator == "noise" else "learning"
    return Cell(
        simulator=simulator,
        policy=policy,
        kind=matrix.Kind(kind),
        figures={"gain": figure},
        outcomes=tuple(Outcome(before=0.0, after=one) for one in gain + noise - noise.mean()),
    )


def test_a_verdict_counts_simulators_and_sees_what_is_below_random():
    gains = {"a": 0.3, "b": 0.3, "c": 0.3, "d": 0.3, "e": 0.1}
    cells = [cell(name, "mine", gain) for name, gain in gains.items()]
    cells += [cell(name, "uniform", 0.2, spread=0.01, seed=1) for name in gains]
    cells += [cell("noise", policy, 0.0) for policy in ("mine", "uniform")]

    verdict = judge(cells, "mine", seed=0)

    assert verdict.shares == {"uniform": 0.8}
    assert verdict.below_random == ("e",)
    assert verdict.moved_controls == ()
    assert not verdict.passed

    better = [one if one.simulator != "e" else cell("e", one.policy, 0.2) for one in cells]
    assert judge(better, "mine", seed=0).passed
    moved = [*better[:-2], cell("noise", "mine", 0.3), cell("noise", "uniform", 0.0)]
    assert judge(moved, "mine", seed=0).moved_controls == ("noise",)


def test_there_is_no_verdict_without_a_baseline_or_learning():
    assert judge([cell("a", "mine", 0.3)], "mine", seed=0) is None
    assert (
        judge([cell("noise", "mine", 0.0), cell("noise", "uniform", 0.0)], "mine", seed=0) is None
    )


def test_the_command_writes_table_and_picture(tmp_path, capsys):
    names = [*("--policy", "sec"), *("--policy", "uniform"), "--simulator", "kss"]
    rest = ["--learners", "3", "--minutes", "4", "--seed", "2", "--out", str(tmp_path / "new")]

    assert main(["simulate", *names, *rest]) == 0

    written = tmp_path / "new"
    assert sorted(path.name for path in written.iterdir()) == [
        "matrix.csv",
        "matrix.json",
        "matrix.md",
        "matrix.png",
    ]
    whole = json.loads((written / "matrix.json").read_text())
    assert [(c["simulator"], c["policy"]) for c in whole["cells"]] == [
        ("kss", "sec"),
        ("kss", "uniform"),
    ]
    assert whole["plan"]["learners"] == 3
    assert whole["policies"]["sec"]["version"].startswith("sec-")
    assert set(whole["verdict"]["shares"]) == {"uniform"}
    rows = list(csv.DictReader((written / "matrix.csv").read_text().splitlines()))
    gain = whole["cells"][1]["figures"]["gain"]["value"]
    assert [
        float(r["value"]) for r in rows if (r["policy"], r["figure"]) == ("uniform", "gain")
    ] == [gain]
    assert f"| uniform | {gain:.3f}" in (written / "matrix.md").read_text()
    assert (written / "matrix.png").read_bytes().startswith(b"\x89PNG")
    assert "sec gains more in so many simulators than: uniform" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--simulator", "unicorn"],
            f"There is no simulator unicorn: choose from {next(iter(SIMULATORS))}",
        ),
        (["--policy", "wish"], "There is no policy wish: choose from linear-softmax"),
        (["--policy", "sec=/no/such.json"], "/no/such.json: not readable as JSON"),
        (["--learners", "1"], "give at least 2 learners"),
        (["--minutes", "0"], "0 minutes of practice"),
        (["--seed", "-1"], "Seed -1"),
    ],
)
def test_what_makes_no_sense_is_refused_at_once(tmp_path, capsys, arguments, message):
    assert main(["simulate", *arguments, "--out", str(tmp_path / "none")]) == 1

    assert message in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


def test_a_folder_that_cannot_be_written_to_is_refused_before_anything_is_simulated(
    tmp_path, capsys
):
    (tmp_path / "file").write_text("")

    assert main(["simulate", "--out", str(tmp_path / "file" / "in")]) == 1
    assert "file" in capsys.readouterr().err
