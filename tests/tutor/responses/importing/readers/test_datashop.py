"""DataShop transactions: attempts at steps, with the hints before them."""

import pytest

from tests.tutor.responses.importing.reading import read_log
from tutor.responses.importing.errors import UnreadableLog
from tutor.responses.importing.mapping import ColumnMapping

HEADER = (
    *("Row", "Anon Student Id", "Session Id", "Time", "Time Zone", "Duration (sec)"),
    *("Student Response Type", "Problem Name", "Problem View", "Step Name", "Outcome"),
    *("KC (Single-KC)", "KC (Skills)", "KC (Skills)", "KC (Other)"),
)


def row(number, student, time, step, outcome, *, zone="US/Eastern", kcs=("a", "b"), view="1"):
    return (
        *(str(number), student, "s", time, zone, "4.5" if number % 2 else ".", "ATTEMPT"),
        *("P1", view, step, outcome, "Single-KC", *kcs, "o"),
    )


ROWS = [
    row(1, "stu1", "2011-09-21 17:35:38.0", "STEP1", "HINT"),
    row(2, "stu1", "2011-09-21 17:35:40.0", "STEP1", "INCORRECT"),
    row(3, "stu1", "2011-09-21 17:35:44.5", "STEP1", "CORRECT"),
    row(4, "stu2", "2011-12-21 17:35:44", "STEP1", "CORRECT", kcs=("a", "")),
    row(5, "stu1", "2011-09-21 17:36:44", "STEP2", "", kcs=("b", "")),
    row(6, "stu1", "2011-09-21 17:37:44", "STEP2", "CORRECT", zone="", kcs=("b", "")),
    row(7, "stu1", "2011-09-21 18:37:44", "STEP1", "CORRECT", view="2"),
]


def write(tmp_path, rows=ROWS, header=HEADER):
    path = tmp_path / "tx.txt"
    path.write_text("\n".join("\t".join(line) for line in (header, *rows)) + "\n")
    return path


def test_hints_count_with_the_next_attempt_and_attempts_with_their_showing(tmp_path):
    log = read_log(write(tmp_path), form="auto")

    assert [(a.learner, a.item_name, a.credit, a.hints, a.attempt) for a in log.answers] == [
        ("stu1", "P1 / STEP2", 1.0, 0, 1),
        ("stu1", "P1 / STEP1", 0.0, 1, 1),
        ("stu1", "P1 / STEP1", 1.0, 1, 2),
        ("stu1", "P1 / STEP1", 1.0, 0, 1),
        ("stu2", "P1 / STEP1", 1.0, 0, 1),
    ]
    assert "1 rows are hints and count with the next attempt." in log.warnings
    assert "1 rows are neither attempt nor hint and stay out." in log.warnings


def test_times_are_in_the_row_s_zone(tmp_path):
    log = read_log(write(tmp_path), form="auto")

    moments = {a.line: a.answered_at.isoformat() for a in log.answers}
    assert moments[4] == "2011-09-21T21:35:44.500000+00:00"  # summer time
    assert moments[5] == "2011-12-21T22:35:44+00:00"
    assert moments[7] == "2011-09-21T17:37:44+00:00"


def test_takes_the_first_model_that_says_anything_and_all_its_columns(tmp_path):
    log = read_log(write(tmp_path), form="auto")

    items = {item.slug: item.concepts for item in log.course.items}
    assert sorted(items.values()) == [("a", "b"), ("b",)]
    assert any("KC (Skills)" in warning for warning in log.warnings)


def test_takes_the_model_that_is_named(tmp_path):
    mapping = ColumnMapping(columns={"concepts": ("KC (Other)",)})

    log = read_log(write(tmp_path), form="datashop", mapping=mapping)

    assert {item.concepts for item in log.course.items} == {("o",)}


def test_tells_long_steps_apart(tmp_path):
    rows = [row(n, "s", f"2011-09-21 17:35:0{n}", "x" * 300 + str(n), "CORRECT") for n in (1, 2)]

    log = read_log(write(tmp_path, rows), form="auto")

    assert log.rejects == []
    assert len(log.course.items) == 2


def test_refuses_a_step_rollup(tmp_path):
    header = tuple("Step Start Time" if title == "Time" else title for title in HEADER)

    with pytest.raises(UnreadableLog, match="no DataShop transaction export: it lacks Time"):
        read_log(write(tmp_path, header=header), form="datashop")
