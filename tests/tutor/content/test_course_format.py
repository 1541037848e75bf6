"""A course folder is read whole or refused with every mistake named."""

import json
import re

import pytest
import yaml

from tests.tutor.content.factories import EQUATION
from tutor.content import check
from tutor.content.course_format import content_hash, item_body, read_course
from tutor.content.errors import CourseInvalid
from tutor.content.templates import instantiate

COURSE = {
    "slug": "algebra",
    "title": "Algebra",
    "concepts": [
        {"slug": "adding", "name": "Adding", "description": "Add."},
        {"slug": "equations", "name": "Equations", "requires": ["adding"]},
    ],
    "misconceptions": {"sign-dropped": {"name": "Sign dropped", "feedback": "Mind the sign."}},
}


def item(**fields):
    base = {**EQUATION, "concepts": ["equations"], "difficulty": 0.3}
    base["parameters"] = dict(EQUATION["parameters"])
    return {name: value for name, value in {**base, **fields}.items() if value is not None}


@pytest.fixture
def write(tmp_path):
    def write_course(items=None, **course):
        (tmp_path / "items").mkdir(exist_ok=True)
        entries = [item()] if items is None else items
        data = {**COURSE, **course}
        (tmp_path / "course.yaml").write_text(yaml.safe_dump(data, sort_keys=False))
        (tmp_path / "items" / "some.yaml").write_text(yaml.safe_dump(entries, sort_keys=False))
        return tmp_path

    return write_course


def problems_of(folder):
    with pytest.raises(CourseInvalid) as caught:
        read_course(folder)
    return caught.value.problems


class TestReadCourse:
    def test_reads_concepts_in_order_and_items(self, write):
        course = read_course(write())
        assert [c.slug for c in course.concepts] == ["adding", "equations"]
        assert course.concepts[1].requires == ("adding",)
        assert course.items[0].difficulty == 0.3
        assert course.language == "en"

    @pytest.mark.parametrize(
        ("fields", "says"),
        [
            (
                {"hint": ["a"]},
                "item two-step-equation, hint: there is no such field. Did you mean hints",
            ),
            ({"kind": "numeric"}, "kind: 'numeric' is not a kind"),
            ({"kind": None}, "kind: is missing"),
            ({"concepts": ["unknown"]}, "concepts: 'unknown' is not a concept"),
            ({"concepts": []}, "concepts: \\[\\] is empty"),
            ({"hints": ["one"]}, "hints: 1 is too few"),
            ({"solution": None}, "solution: is missing"),
            ({"difficulty": "hard"}, "difficulty: 'hard' must be a number"),
            ({"difficulty": 12}, "12 is not between -6 and 6"),
            ({"answer": {"vaule": "x"}}, "answer, vaule: .* Did you mean value"),
            ({"answer": None}, "answer: None is missing"),
            ({"answer": {"value": "y"}}, "'y' is not a parameter"),
            ({"answer": {"value": "x", "form": "nice"}}, "answer.form 'nice' is not one of"),
            (
                {"wrong": [{"value": "1", "misconception": "typo"}]},
                "misconception: 'typo' is not defined",
            ),
            ({"wrong": [{"misconception": "sign-dropped"}]}, "wrong 1, value"),
            ({"conditions": ["a > 99"]}, "with seed 0, No parameters fit in 1000 draws"),
            ({"parameters": {"a": "integer(9, 2)"}}, "parameter a: .*nothing left to choose"),
            ({"parameters": {"2a": "1"}}, "'2a' cannot be a name"),
            ({"stem": "Solve $[[x]]"}, "A \\$ is not closed"),
            ({"stem": "[[nosuch(x)]]"}, "no function 'nosuch'"),
            ({"choices": [{"text": "a"}]}, "choices: 1 do not belong to kind number"),
            ({"slug": "Two Steps"}, "'Two Steps' is not a slug"),
        ],
    )
    def test_names_the_mistake(self, write, fields, says):
        [*problems] = problems_of(write([item(**fields)]))
        assert any(_matches(says, problem) for problem in problems), problems
        assert all(problem.startswith("items/some.yaml, item") for problem in problems)

    def test_a_single_choice_has_one_right_option(self, write):
        choices = [{"text": "a", "correct": True}, {"text": "b", "correct": True}]
        bad = item(kind="single_choice", choices=choices, answer=None, wrong=None)
        assert any("Exactly one must be" in p for p in problems_of(write([bad])))

    def test_a_cycle_is_named(self, write):
        concepts = [
            {"slug": "a", "name": "A", "requires": ["b"]},
            {"slug": "b", "name": "B", "requires": ["a"]},
        ]
        problems = problems_of(write([item(concepts=["a"])], concepts=concepts))
        assert any("requires" in p and "a" in p and "->" in p for p in problems), problems

    def test_all_mistakes_are_collected(self, write):
        items = [item(hints=["one"]), item(slug="other", kind="x"), item()]
        problems = problems_of(write(items, colour="red"))
        assert len(problems) == 4
        assert any("is also used in" in problem for problem in problems)

    def test_a_repeated_key_is_refused(self, write):
        folder = write()
        path = folder / "items" / "some.yaml"
        path.write_text("- slug: a\n  kind: number\n  slug: b\n")
        assert any("'slug' occurs twice" in problem for problem in problems_of(folder))

    @pytest.mark.parametrize("nested", ["[" * 100_000, "- " * 100_000, "{a: " * 60 + "}" * 60])
    def test_what_is_nested_without_end_is_refused(self, write, nested):
        folder = write()
        (folder / "items" / "some.yaml").write_text(nested)
        assert any("is nested deeper than 50" in problem for problem in problems_of(folder))

    @pytest.mark.parametrize("broken", ["- slug: [a\n- b: c\n", "a: b: c", "- \t- x", "a: \x07"])
    def test_what_is_no_yaml_is_refused_with_its_place(self, write, broken):
        folder = write()
        (folder / "items" / "some.yaml").write_text(broken)
        [problem] = [p for p in problems_of(folder) if "some.yaml" in p]
        assert "is not valid YAML" in problem
        assert "line" in problem or "position" in problem

    def test_yes_and_no_are_texts(self, write):
        folder = write()
        (folder / "items" / "some.yaml").write_text(
            "- {slug: a, kind: text, concepts: [adding], stem: Even, hints: [x, y], "
            "solution: So., answer: {accepted: [yes]}}\n"
        )
        assert read_course(folder).items[0].answer == {"accepted": ["yes"]}

    def test_a_missing_course_file_is_said(self, tmp_path):
        assert "course.yaml: the file is missing" in problems_of(tmp_path)[0]

    def test_a_key_that_is_not_graded_right_is_found(self, write):
        # The key 2/4 is reduced by evaluation, so only a self-contradictory text item can fail.
        bad = item(
            kind="text",
            answer={"accepted": ["one"]},
            wrong=[{"text": "One!", "misconception": "sign-dropped"}],
        )
        assert any("is graded right" in problem for problem in problems_of(write([bad])))


def _matches(pattern, text):
    return re.search(pattern, text) is not None


class TestItemBody:
    def test_survives_json_that_reorders_keys(self, write):
        [spec] = read_course(write()).items
        body = item_body(spec)
        stored = json.loads(json.dumps(body, sort_keys=True))
        assert instantiate(stored, seed=3) == instantiate(body, seed=3)

    def test_hash_depends_on_content_not_on_order_or_difficulty(self, write):
        [spec] = read_course(write()).items
        body = item_body(spec)
        assert content_hash(dict(reversed(body.items()))) == content_hash(body)
        assert content_hash({**body, "stem": "Other"}) != content_hash(body)
        assert item_body(read_course(write([item(difficulty=2)])).items[0]) == body

    def test_the_order_of_parameters_counts(self, write):
        [spec] = read_course(write()).items
        assert [name for name, _ in item_body(spec)["parameters"]] == ["a", "x", "b", "c"]


class TestCheckCommand:
    def test_prints_a_summary(self, write, capsys):
        assert check.main([str(write()), "--seeds", "2"]) == 0
        out = capsys.readouterr().out
        assert "2 concepts, 1 items" in out
        assert "Without an item of their own: adding" in out

    def test_prints_the_problems(self, write, capsys):
        assert check.main([str(write([item(hints=["one"])]))]) == 1
        assert "hints: 1 is too few" in capsys.readouterr().out
