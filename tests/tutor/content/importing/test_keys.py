"""Keys from answers: what they judge right and wrong, and what is refused."""

import pytest

from tutor.content.grading import UnreadableAnswer, grade, right_answer
from tutor.content.importing import copying, keys, latex, rewriting, short_answers
from tutor.content.importing.choices import ABSENT, TOO_FEW, read_choices
from tutor.content.importing.copying import rendered, with_form
from tutor.content.importing.keys import read_formula
from tutor.content.importing.listed import Unfit
from tutor.content.importing.rewriting import check_rewritten
from tutor.content.importing.short_answers import read_string


def judged(key, text):
    """1 right, 0.5 in another form, 0 wrong, None unreadable."""
    try:
        return grade(rendered(key), {"text": text}).credit
    except UnreadableAnswer:
        return None


def reason_of(read, *args, **kwargs):
    with pytest.raises(Unfit) as caught:
        read(*args, **kwargs)
    return caught.value.reason


class TestFormulas:
    @pytest.mark.parametrize(
        ("answer", "kind", "right", "wrong"),
        [
            ("$$-13$$", "number", ["-13", "x = -13"], ["13"]),
            (r"$$\frac{-4}{21}$$", "number", ["-4/21", "-8/42"], ["4/21", "0.19"]),
            ("$$46.80$$", "number", ["46.8", "46.80"], ["46.9"]),
            ("$$1,250.5$$", "number", ["1250.5"], ["1.2505"]),
            (r"$$5.9\%$$", "number", ["5.9 %", "5.9"], ["0.59", "59"]),
            (r"61.2**{\circ}", "number", ["61.2", "61.2°"], ["61"]),
            ("$$x=-255$$", "number", ["-255", "x = -255"], ["255"]),
            (r"$$\frac{256\pi}{5}$$", "expression", ["256pi/5", "51.2π"], ["256/5", "2pi"]),
            (r"$$3\sqrt{5}$$", "expression", ["sqrt(45)", "3√5"], ["5sqrt(3)", "6.7"]),
            (r"$$3\times{10}^4$$", "expression", ["3*10^4", "30000"], ["3*10^5"]),
            (r"$$\frac{x-3}{x+9}$$", "expression", ["(x-3)/(x+9)"], ["x-3/x+9", "(x+3)/(x+9)"]),
            ("$$y=6x-19$$", "expression", ["y = 6x - 19", "6x-19"], ["y=6x+19"]),
            ("$$f(x)=2x^2$$", "expression", ["f(x) = 2x^2", "2x^2"], ["x^2"]),
            ("$$-5i+3j$$", "expression", ["3j-5i"], ["5i+3j"]),
            (
                r"$$\frac{x^2}{1}+\frac{y^2}{16}=1$$", "expression",
                ["x^2 + y^2/16 = 1", "16x^2+y^2=16"], ["x^2-y^2/16=1", "x^2+y^2=1"],
            ),
            (r"$$u \leq -13$$", "expression", ["u <= -13", "-13 ≥ u"], ["u < -13", "u >= -13"]),
            (r"$$a \geq \frac{-1}{20}$$", "expression", ["a >= -1/20"], ["a <= -1/20"]),
        ],
    )  # fmt: skip
    def test_judge_by_meaning(self, answer, kind, right, wrong):
        key = read_formula([answer])

        assert key.kind == kind
        assert grade(rendered(key), right_answer(rendered(key))).is_correct
        assert [judged(key, text) for text in right] == [1.0] * len(right)
        assert all(judged(key, text) in (0.0, None) for text in wrong)

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            ([], keys.NO_ANSWER),
            (["  "], keys.NO_ANSWER),
            (["$$1$$", "$$2$$"], keys.SEVERAL_WAYS),
            (["$$2<x<5$$"], keys.RELATION),
            (["$$x^2>4$$"], keys.RELATION),
            ([r"$$\frac{1}{x}=\frac{y}{2x}$$"], keys.RELATION),
            ([r"$$2\sqrt{x}+y=3$$"], keys.RELATION),
            (["$$3^{x+6}$$"], keys.UNSUPPORTED),
            ([r"$$x^{\frac{4}{3}}$$"], keys.UNSUPPORTED),
            (["$$2sin(x)$$"], latex.FUNCTION),
        ],
    )
    def test_refuse_what_would_be_judged_wrongly(self, answer, reason):
        assert reason_of(read_formula, answer) == reason

    def test_show_a_decimal_as_it_was_written_and_a_fraction_as_one(self):
        def shown(answer):
            return right_answer(rendered(read_formula([answer])))["text"]

        assert (shown("$$46.8$$"), shown("$$-0.05$$")) == ("46.8", "-0.05")
        assert shown(r"$$\frac{36}{16}$$") == "9/4"


class TestStrings:
    @pytest.mark.parametrize(
        ("answer", "question", "right", "wrong"),
        [
            ("(2,-1)", "Find the vertex.", ["(2,-1)", "(2, -1)", "2; -1"], ["(-1,2)", "(2,1)"]),
            ("x=-1 or x=5/2", "Solve.", ["-1 or 5/2", "x=2.5, x=-1"], ["x=-1", "1 or 5/2"]),
            ("-16,-15", "Solve x.", ["-15, -16"], ["-16", "15, 16"]),
            ("90,55,35", "Give them from largest to smallest.", ["90, 55, 35"], ["35,55,90"]),
            ("x=1,y=2", "Solve the system.", ["x=1, y=2", "(1, 2)", "y=2, x=1"], ["(2,1)"]),
            ("(81*pi)/4", "What is the area?", ["81pi/4"], ["81/4"]),
            ("x**3", "Simplify.", ["x^3", "x*x*x"], ["3x"]),
            ("$0.39", "The price?", ["$0.39", "0.39"], ["39"]),
            ("10%", "In per cent?", ["10%", "10"], ["0.1"]),
            ("y", "Type y for yes, n for no.", ["y", "Yes"], ["n"]),
            ("DNE", "The limit?", ["dne"], ["0"]),
            ("<", "Which sign?", ["<"], [">"]),
        ],
    )
    def test_judge_by_meaning(self, answer, question, right, wrong):
        key = read_string([answer], question=question)

        assert [judged(key, text) for text in right] == [1.0] * len(right)
        assert all(judged(key, text) != 1.0 for text in wrong)

    @pytest.mark.parametrize(
        ("answer", "question", "reason"),
        [
            ("(-inf,5]", "Find the domain.", short_answers.INTERVAL),
            ("[2,3]", "Solve.", short_answers.INTERVAL),
            ("(-1,1)", "Write the solution in interval notation.", short_answers.INTERVAL),
            ("(-1,1)", r"$$|x|<1$$", short_answers.INTERVAL),
            ("(4.5,7.4)", "The 95% confidence interval?", short_answers.INTERVAL),
            ("(0,3),(1,4)", "Where do they meet?", short_answers.POINTS),
            ("2,2,3", "Factor 12.", short_answers.REPEATED),
            ("13, 9", "What are they?", short_answers.ORDER),
            ("1600 and 960", "How many of each?", short_answers.ORDER),
            ("2 cats, 3 dogs", "Solve.", short_answers.SETS),
            ("tbl.sample()", "Blank 1?", short_answers.CODE),
            ('"Type"', "Blank 2?", short_answers.CODE),
            ("Reject it at the usual level", "What now?", short_answers.FREE_TEXT),
        ],
    )
    def test_refuse_what_can_be_written_in_other_ways(self, answer, question, reason):
        assert reason_of(read_string, [answer], question=question) == reason


class TestChoices:
    def test_take_each_choice_once_and_keep_the_right_one(self):
        key = read_choices(["$$2$$"], ["$$1$$", "$$2$$", "$$ 2 $$", "$$3$$"])

        assert [(c["text"], c["correct"]) for c in key.choices] == [
            ("$1$", False),
            ("$2$", True),
            ("$3$", False),
        ]
        assert (key.kind, key.keep_order) == ("single_choice", False)

    def test_take_several_right_ones_as_multiple_choice(self):
        key = read_choices(["a", "c"], ["a", "b", "c"])
        assert key.kind == "multiple_choice"
        assert [c["correct"] for c in key.choices] == [True, False, True]

    @pytest.mark.parametrize("last", ["None of the above", "Both A and B", "all of these"])
    def test_stay_in_order_when_one_speaks_of_the_others(self, last):
        assert read_choices(["a"], ["a", "b", last]).keep_order

    def test_refuse_a_missing_answer_and_a_choice_of_one(self):
        assert reason_of(read_choices, ["x"], ["a", "b"]) == ABSENT
        assert reason_of(read_choices, ["a"], ["a", "a "]) == TOO_FEW
        assert reason_of(read_choices, [""], ["a", "b"]) == keys.NO_ANSWER


class TestWithForm:
    """The question's own formula, typed in, must not count."""

    @pytest.mark.parametrize(
        ("answer", "question", "copy", "form"),
        [
            (r"$$\frac{2}{3}$$", r"Simplify $$\frac{12}{18}$$", "12/18", "simplest"),
            (r"$$\frac{75}{100}$$", "Write $$0.75$$ as a fraction", "0.75", "fraction"),
            ("$$0.75$$", r"Write $$\frac{3}{4}$$ as a decimal", "3/4", "decimal"),
            ("$$-9$$", r"Divide $$\frac{-63}{7}$$", "-63/7", "integer"),
            (r"$$2\sqrt{3}$$", r"Simplify $$\sqrt{12}$$", "sqrt(12)", "simplest"),
            ("$$x^2-x$$", r"$$x \left(x-1\right)$$", "x(x-1)", "simplest"),
            ("$$x^2-x$$", r"Multiply $$x \left(x-1\right)$$", "x(x-1)", "expanded"),
            (
                r"$$\left(x+1\right) \left(x+2\right)$$",
                "Factor $$x^2+3x+2$$",
                "x^2+3x+2",
                "factored",
            ),
            (
                r"$$\frac{x-3}{x+9}$$",
                r"$$\frac{x^2-9}{\left(x+9\right)\left(x+3\right)}$$",
                "(x^2-9)/((x+9)(x+3))",
                "simplest",
            ),
        ],
    )
    def test_asks_for_a_form_that_the_question_has_not(self, answer, question, copy, form):
        key = read_formula([answer])
        assert judged(key, copy) == 1.0

        asked = with_form(key, question=[question])

        assert asked.answer["form"] == form
        assert judged(asked, copy) == 0.5
        assert grade(rendered(asked), right_answer(rendered(asked))).is_correct

    @pytest.mark.parametrize(
        ("answer", "question"),
        [
            ("$$5$$", "Which is larger, $$5$$ or $$3$$?"),
            ("$$4$$", "$$y=4$$ when $$x=2$$. What is $$y$$ when $$x=3$$?"),
            ("$$0.25$$", "A mass of $$0.250$$ kg: what is the speed?"),
            ("$$x+2$$", "What is $$2$$ more than $$x$$?"),
        ],
    )
    def test_asks_for_none_where_the_question_may_name_the_answer(self, answer, question):
        assert "form" not in with_form(read_formula([answer]), question=[question]).answer

    @pytest.mark.parametrize(
        ("answer", "question"),
        [
            (r"$$\left(14x+16\right)\left(14x-16\right)$$", "Factor: $$196x^2-256$$"),
            (r"$$\frac{-24}{1}$$", "Write as a ratio: $$-24$$"),
            (r"$$3\left(x-2\right)^2-5$$", "In vertex form: $$y=3x^2-12x+7$$"),
            ("$$2x-y=-3$$", "In standard form: $$y=2x+3$$"),
        ],
    )
    def test_refuses_where_no_form_tells_them_apart(self, answer, question):
        assert reason_of(with_form, read_formula([answer]), question=[question]) == copying.COPIED


class TestCheckRewritten:
    """A key that contradicts its question is the author's slip, and would be ours."""

    def check(self, words, formula, answer):
        check_rewritten(read_formula([answer]), question=[words, formula], step=[formula])

    @pytest.mark.parametrize(
        ("words", "formula", "answer"),
        [
            ("Factor.", "$$x^2+18x+45$$", r"$$(x-15)(x-3)$$"),
            ("Simplify:", r"$$\frac{x^{18}}{x^{22}}$$", "$$x^4$$"),
            ("Expand it", r"$$\left(4x-3y\right)^2$$", "$$16x^2-24xy+3y^2$$"),
            ("Multiply", r"$$5\sqrt{6} \left(-\sqrt{12}\right)$$", r"$$-10\sqrt{15}$$"),
        ],
    )
    def test_refuses_what_is_not_equal(self, words, formula, answer):
        assert reason_of(self.check, words, formula, answer) == rewriting.CONTRADICTS

    @pytest.mark.parametrize(
        ("words", "formula", "answer"),
        [
            ("Factor.", "$$x^2+18x+45$$", r"$$(x+15)(x+3)$$"),
            ("Factor. What is the greatest common factor?", "$$3x^2+6x$$", "$$3x$$"),
            ("Expand. Find the second term.", r"$$\left(x+y\right)^2$$", "$$2xy$$"),
            ("Multiply", r"$$\left(3+2i\right)^2$$", "$$5+12i$$"),
            ("Simplify", "$$x+1$$ and $$x+2$$", "$$2x+3$$"),
            ("Find the derivative", "$$x^2$$", "$$2x$$"),
            ("Simplify", r"$$\frac{x}{2}$$", "$$2y$$"),
        ],
    )
    def test_passes_what_is_equal_or_asks_for_something_else(self, words, formula, answer):
        self.check(words, formula, answer)
