import csv
import json

import numpy as np
import pytest

from curriculum.cli import main
from curriculum.irt.errors import UnreadableGroups, UnreadableParameters
from curriculum.irt.tables import COLUMNS, read_groups, read_guessing, read_parameters
from tests.curriculum.irt.factories import answer

FILES = {
    "parameters.csv",
    "summary.json",
    *(f"{name}.{kind}" for kind in ("csv", "png") for name in (
        "item_curves", "item_information", "test_information", "wright_map", "fit_scatter"
    )),
}  # fmt: skip


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    rng = np.random.default_rng(7)
    matrix = answer(rng.normal(size=500), rng.normal(size=12), np.ones(12), rng=rng, share=0.9)
    path = tmp_path_factory.mktemp("log") / "log.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["learner", "item", "correct", "hints", "school"])
        for i, j in np.argwhere(~np.isnan(matrix)).tolist():
            writer.writerow([f"l{i}", f"i{j}", int(matrix[i, j]), 0, "ab"[i % 2]])
        writer.writerow(["l0", "only with help", 1, 2, "a"])
    return path


@pytest.fixture(scope="module")
def first(log, tmp_path_factory):
    out = tmp_path_factory.mktemp("first") / "deep" / "out"
    assert main(["calibrate", str(log), "--out", str(out), "--engine", "em"]) == 0
    return out


def table(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_writes_tables_and_pictures_and_nothing_else(first):
    assert {path.name for path in first.iterdir()} == FILES
    for picture in first.glob("*.png"):
        assert picture.read_bytes().startswith(b"\x89PNG")
        assert picture.stat().st_size > 5_000


def test_the_table_has_a_line_for_every_item(first):
    rows = table(first / "parameters.csv")

    assert tuple(rows[0]) == COLUMNS
    assert {row["item"] for row in rows} == {*(f"i{k}" for k in range(12)), "only with help"}
    by_item = {row["item"]: row for row in rows}
    assert float(by_item["i3"]["difficulty_se"]) < 0.35
    assert by_item["only with help"]["difficulty"] == ""
    assert by_item["only with help"]["flags"] == "unseen"


def test_the_summary_is_strict_json(first):
    def refuse(value):
        raise AssertionError(value)

    summary = json.loads((first / "summary.json").read_text(), parse_constant=refuse)

    assert summary["census"]["assisted"] == 1
    assert summary["settings"]["model"] == "2pl"
    told = [flag for row in table(first / "parameters.csv") for flag in row["flags"].split("|")]
    assert summary["flags"] == {flag: told.count(flag) for flag in set(told) - {""}}
    assert summary["flags"]["unseen"] == 1
    assert {gate["name"] for gate in summary["gates"]} >= {"agreement-of-engines", "converged"}
    assert summary["items_ready"] == 13 - sum(
        map(bool, (row["flags"] for row in table(first / "parameters.csv")))
    )


def test_tables_of_the_curves_agree_with_the_parameters(first):
    parameters = {row["item"]: row for row in table(first / "parameters.csv")}
    rows = table(first / "item_curves.csv")

    a, b = (float(parameters["i3"][name]) for name in ("discrimination", "difficulty"))
    for row in rows[::20]:
        expected = 1 / (1 + np.exp(-a * (float(row["theta"]) - b)))
        assert float(row["i3"]) == pytest.approx(expected, abs=1e-4)
    told = table(first / "item_information.csv")
    whole = table(first / "test_information.csv")
    summed = sum(float(x) for name, x in told[40].items() if name != "theta")
    assert float(whole[40]["information"]) == pytest.approx(summed, rel=1e-4)
    assert float(whole[40]["standard_error"]) == pytest.approx(summed**-0.5, rel=1e-4)
    wright = table(first / "wright_map.csv")
    assert sum(int(row["learners"]) for row in wright) == 500
    assert sum(int(row["items"]) for row in wright) == 12


def test_goes_on_from_an_earlier_run(first, log, tmp_path, capsys):
    earlier = str(first / "parameters.csv")

    code = main(
        [
            "calibrate",
            str(log),
            "--out",
            str(tmp_path),
            "--anchors",
            earlier,
            "--warm-start",
            earlier,
            "--group",
            "school",
            "--engine",
            "em",
        ]
    )

    assert code == 0, capsys.readouterr().err
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["link"]["link"]["slope"] == pytest.approx(1.0, abs=0.02)
    assert summary["population"]["mean"] == pytest.approx(0.0, abs=0.02)
    assert summary["groups"]["reference"] in ("a", "b")
    assert len(summary["groups"]["items"]) == 12
    anchors = [row for row in table(tmp_path / "parameters.csv") if row["anchor"] == "yes"]
    assert len(anchors) >= 9


@pytest.mark.parametrize("text", ["4", "item,options\n" + "".join(f"i{k},4\n" for k in range(12))])
def test_three_parameters_take_the_number_of_options(text, log, tmp_path):
    if "\n" in text:
        path = tmp_path / "options.csv"
        path.write_text(text)
        text = str(path)
    out = tmp_path / "out"
    arguments = ["--out", str(out), "--model", "3pl", "--options", text, "--engine", "em"]

    assert main(["calibrate", str(log), *arguments]) == 0
    by_item = {row["item"]: row for row in table(out / "parameters.csv")}
    assert by_item["i3"]["guessing"] == "0.25"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "3pl"], "3pl needs it"),
        (["--model", "3pl", "--options", "1"], "it takes 2 to choose"),
        (["--options", "4"], "belongs to --model 3pl"),
        (["--group", "klass"], "column klass is missing"),
        (["--anchors", "nowhere.csv"], "nowhere.csv: No such file"),
    ],
)
def test_a_mistake_is_told_in_one_line_and_nothing_is_written(
    arguments, message, log, tmp_path, capsys
):
    out = tmp_path / "out"

    assert main(["calibrate", str(log), "--out", str(out), *arguments]) == 1
    assert message in capsys.readouterr().err
    assert not out.exists()


def test_a_log_that_cannot_be_read_is_told(tmp_path, capsys):
    path = tmp_path / "log.csv"
    path.write_text("learner,item\nu,x\n")

    assert main(["calibrate", str(path), "--out", str(tmp_path / "out")]) == 1
    assert "column correct is missing" in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_is_told(log, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    out = tmp_path / "file" / "out"

    assert main(["calibrate", str(log), "--out", str(out), "--engine", "em"]) == 1
    assert "Not a directory" in capsys.readouterr().err


def test_parameters_are_read_with_and_without_a_liking_for_anchors(tmp_path):
    path = tmp_path / "p.csv"
    path.write_text(
        "Item,Difficulty,discrimination,difficulty_se,flags\n"
        "fine,0.5,1.2,0.1,thin\n"
        "vague,0.5,1.2,0.4,imprecise\n"
        "wrong,0.5,0.1,0.2,misfit|negative-discrimination\n"
        "unseen,,,,unseen\n"
    )

    assert read_parameters(path).items == ("fine", "vague", "wrong")
    assert read_parameters(path, anchors=True).items == ("fine",)
    assert read_parameters(path).discrimination.tolist() == [1.2, 1.2, 0.1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("item,b\nx,1\n", "column difficulty is missing"),
        ("item,difficulty\nx,hard\n", "line 2: difficulty = 'hard' is not a finite number"),
        ("item,difficulty\nx,inf\n", "line 2: difficulty = 'inf'"),
        ("item,difficulty,discrimination\nx,0,-1\n", "Item x has .* discrimination -1"),
        ("item,difficulty\nx,0\nx,1\n", "Item x is there twice"),
        ("item,difficulty\nx,\n", "no item with usable parameters"),
        ("", "column item, difficulty is missing; nothing"),
    ],
)
def test_a_bad_table_of_parameters_is_told(text, message, tmp_path):
    path = tmp_path / "p.csv"
    path.write_text(text)

    with pytest.raises(UnreadableParameters, match=message):
        read_parameters(path)


def test_options_below_two_are_refused(tmp_path):
    path = tmp_path / "o.csv"
    path.write_text("item,options\nx,4\ny,1\n")

    with pytest.raises(UnreadableParameters, match="line 3: options = '1'"):
        read_guessing(path)


def test_a_learner_has_one_group(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("learner,item,correct,School\nu,x,1,a\nu,y,1,\nv,x,1,b\nv,y,0,\n")

    assert read_groups(path, "School") == {"u": "a", "v": "b"}
    path.write_text("learner,school\nu,a\nu,b\n")
    with pytest.raises(UnreadableGroups, match="line 3: learner u is in group a and b"):
        read_groups(path, "school")
