"""Numbers in the notations of all languages: what is the key is right, and nothing else."""

from fractions import Fraction

import pytest
from django.conf import settings as site
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tutor.content.factories import expression_item, number_item
from tutor.content.formatting import decimal_text
from tutor.content.grading import UnreadableAnswer, answer_summary, grade, shown_answer
from tutor.content.grading.answers_given import shown_key
from tutor.content.preview import preview

LANGUAGES = [code for code, _ in site.LANGUAGES]
MARKS = {"en": ".", "de": ","}
# How several numbers are written, by the mark of their decimals.
BETWEEN = {
    ".": ["({}, {})", "{}, {}", "{}; {}", "{} and {}"],
    ",": ["({}; {})", "{};{}", "{}, {}", "{} und {}"],
}
NUMBERS = st.builds(
    lambda digits, places: Fraction(digits, 10**places), st.integers(-3000, 3000), st.integers(0, 3)
)
# A busy machine may take long over the first algebra of a run.
UNHURRIED = settings(deadline=None)
IN_THE_MARKS = pytest.mark.parametrize("mark", MARKS.values())


def verdict(item, text):
    """Whether it is right, None where the learner is asked again."""
    try:
        return grade(item, {"text": text}).is_correct
    except UnreadableAnswer:
        return None


def written(value, mark):
    return decimal_text(value).replace(".", mark)


def pairs_of(values, mark):
    return [pattern.format(*(written(v, mark) for v in values)) for pattern in BETWEEN[mark]]


def test_all_languages_have_their_notation_here():
    assert sorted(LANGUAGES) == sorted(MARKS)


@IN_THE_MARKS
class TestWhatIsTheKey:
    @UNHURRIED
    @given(key=NUMBERS, other=NUMBERS)
    def test_is_right_as_one_number(self, mark, key, other):
        item = number_item(str(key))
        assert verdict(item, written(key, mark)) is True
        if other != key:
            # Asked where it would be right with thousands.
            is_thousand = abs(other) * 1000 == abs(key) and abs(other) >= 1
            assert not verdict(item, written(other, mark))
            assert is_thousand or verdict(item, written(other, mark)) is False

    @UNHURRIED
    @given(key=st.tuples(NUMBERS, NUMBERS), other=st.tuples(NUMBERS, NUMBERS))
    def test_is_right_in_order(self, mark, key, other):
        item = number_item([str(v) for v in key], ordered=True)
        assert {verdict(item, text) for text in pairs_of(key, mark)} == {True}
        if other != key:
            told = {verdict(item, text) for text in pairs_of(other, mark)}
            by_thousand = any(a != b for a, b in zip(key, other, strict=True)) and all(
                a in (b, 1000 * b) for a, b in zip(key, other, strict=True)
            )
            assert told == {False} or (by_thousand and told == {None})

    @given(
        key=st.sets(NUMBERS, min_size=2, max_size=2), other=st.sets(NUMBERS, min_size=2, max_size=2)
    )
    def test_is_right_as_a_set(self, mark, key, other):
        item = number_item([str(v) for v in key])
        assert {verdict(item, text) for text in pairs_of(sorted(key), mark)} == {True}
        if other != key:
            assert True not in {verdict(item, text) for text in pairs_of(sorted(other), mark)}

    @UNHURRIED
    @given(key=NUMBERS, other=NUMBERS)
    def test_is_right_before_a_letter(self, mark, key, other):
        item = expression_item(f"({key})*x")
        assert verdict(item, f"{written(key, mark)}x") is True
        if other != key:
            assert not verdict(item, f"{written(other, mark)}x")


class TestOneMarkBeforeThreeDigits:
    @pytest.mark.parametrize(
        ("key", "text", "told"),
        [
            ("2.5", "2.500", True), ("2.5", "2,500", True), ("2", "2.000", True),
            ("2500", "2.500", None), ("2500", "2,500", None), ("-2500", "-2.500", None),
            ("7", "2.500", False), ("7", "2,500", False), ("7", "1.000", False),
            ("2500", "2500", True), ("2500", "2,5", False), ("2500000", "2.500.000", True),
            ("0.125", "0,125", True), ("125", "0.125", False), ("1250", "1.500/2", False),
            ("750", "1.500/2", None), ("0.75", "1.500/2", True), ("1234", "1234,000", True),
        ],
    )  # fmt: skip
    def test_is_asked_about_where_thousands_are_right(self, key, text, told):
        assert verdict(number_item(key), text) is told

    @pytest.mark.parametrize("text", ["2.500", "2,500", "3.500", "2.000"])
    def test_is_asked_about_where_whole_numbers_are_asked_for(self, text):
        assert verdict(number_item("2500", form="integer"), text) is None

    def test_is_asked_about_in_any_unit(self):
        assert verdict(number_item("1.5", unit="kg"), "1,500 g") is None
        assert verdict(number_item("1.5", unit="kg"), "1,500 kg") is True

    @pytest.mark.parametrize(
        ("keys", "text", "told"),
        [
            (["2500", "3"], "2.500; 3", None), (["2500", "3"], "2,500 oder 3", None),
            (["2.5", "3"], "2,500; 3", True), (["7", "3"], "2.500; 3", False),
            (["2500", "3"], "2.500", None), (["100", "200"], "100,200", True),
        ],
    )  # fmt: skip
    def test_is_asked_about_among_several(self, keys, text, told):
        assert verdict(number_item(keys), text) is told

    @pytest.mark.parametrize(
        ("key", "text", "told"),
        [
            ("1000*x", "1.000x", None), ("1000*x", "1,000x", None), ("2500*x", "2.500x", None),
            ("2.5*x", "2,500x", True), ("x", "1.000x", True), ("7*x", "2.500x", False),
            ("x > 1500", "x > 1.500", None), ("x > 1.5", "x > 1,500", True),
        ],
    )  # fmt: skip
    def test_is_asked_about_in_expressions(self, key, text, told):
        assert verdict(expression_item(key), text) is told

    def test_is_asked_about_in_a_key(self):
        with pytest.raises(Exception, match="two ways"):
            verdict(expression_item("1,500*x"), "x")

    def test_gives_the_misconception_of_either_reading(self):
        wrong = [{"value": "1234", "misconception": "no-point"}]
        given = grade(number_item("7", wrong=wrong), {"text": "1,234"})
        assert (given.is_correct, given.misconception) == (False, "no-point")

    @pytest.mark.parametrize("language", LANGUAGES)
    @pytest.mark.parametrize("text", ["1,234", "1.234", "2.500", "2,000"])
    def test_is_asked_about_in_words_that_are_then_read(self, language, text):
        whole, _, digits = text.replace(",", ".").partition(".")
        thousand, decimal = whole + digits, str(Fraction(f"{whole}.{digits}"))
        with translation.override(language), pytest.raises(UnreadableAnswer) as asked:
            grade(number_item(thousand), {"text": text})
        first, second = asked.value.message.removesuffix(".").split()[-3::2]
        # The thousand is the key: neither is asked about again.
        assert verdict(number_item(thousand), first) is True
        assert verdict(number_item(thousand), second) is False
        assert verdict(number_item(decimal), second) is True
        assert {*second} - {*"0123456789"} <= {MARKS[language]}


class TestAComma:
    @pytest.mark.parametrize("text", ["(1,5; 3)", "x = 1,5; y = 3", "x=1,5,y=3", "(1,5, 3)"])
    def test_marks_decimals_where_only_that_gives_the_count(self, text):
        item = number_item(["2", "3"], ordered=True, names=["x", "y"])
        given = grade(item, {"text": text})
        assert (given.is_correct, given.normalised) == (False, "3/2; 3")

    def test_separates_where_only_that_gives_the_count(self):
        item = number_item(["2", "3"], ordered=True)
        assert grade(item, {"text": "(1,5)"}).normalised == "1; 5"
        assert verdict(item, "1,5,3") is None

    @pytest.mark.parametrize(
        ("keys", "comma", "point"),
        [
            (["1", "-2"], "1,5; -2", "1.5; -2"),
            (["0.5", "2"], "0,5", "0.5"),
            (["0.5", "2"], "0,5 oder 3", "0.5 or 3"),
            (["0.5", "2", "3"], "x = 0,5 oder x = 2", "x = 0.5 or x = 2"),
            (["1", "5", "7"], "1,5; 8", "1.5; 8"),
        ],
    )
    def test_gives_the_credit_of_a_point(self, keys, comma, point):
        given, twin = (grade(number_item(keys), {"text": text}) for text in (comma, point))
        assert (given.credit, given.normalised) == (twin.credit, twin.normalised)

    def test_between_digits_alone_gives_the_better_credit(self):
        assert grade(number_item(["2", "5", "7"]), {"text": "2,5"}).credit == pytest.approx(2 / 3)
        assert grade(number_item(["2", "5", "7", "9"]), {"text": "2,5; 7"}).credit == 0

    def test_between_two_numbers_in_brackets_is_no_expression(self):
        assert verdict(expression_item("2*x"), "(3,4)") is None
        assert verdict(expression_item("2*x"), "[3, 4]") is None
        assert verdict(expression_item("2*x"), "3,4") is False
        assert verdict(expression_item("(1/4)*x"), "(0,5)^2x") is True


class TestPreview:
    """It shows how a wrong answer is read, and nothing where that hangs on the solutions."""

    @pytest.mark.parametrize(
        ("text", "numbers"),
        [
            ("(1,5; 3)", ["1.5", "3"]), ("x = 1,5; y = 3", ["1.5", "3"]), ("(1,5)", ["1", "5"]),
            ("1,5, 3", ["1.5", "3"]), ("1,5,3", []),
        ],
    )  # fmt: skip
    def test_of_values_in_order(self, text, numbers):
        item = number_item(["2", "3"], ordered=True, names=["x", "y"])
        assert shown_numbers(item, text) == numbers

    @pytest.mark.parametrize("keys", [["1"], ["1", "5"], ["1.5"], ["1.5", "2"]])
    @pytest.mark.parametrize(
        ("text", "numbers"),
        [("1,5", []), ("1,5; 3", ["1.5", "3"]), ("2, 5", ["2", "5"]), ("2,5 und 3", ["2.5", "3"])],
    )
    def test_of_a_set_tells_nothing_of_its_size(self, keys, text, numbers):
        assert shown_numbers(number_item(keys), text) == numbers

    @pytest.mark.parametrize("text", ["1,234", "1.234"])
    def test_of_one_mark_before_three_digits_is_a_decimal(self, text):
        assert shown_numbers(number_item("1234"), text) == ["1.234"]
        assert shown_numbers(number_item("1234", form="integer"), text) == []
        assert shown_numbers(expression_item("1234*x"), f"{text}x") == ["1.234"]


def shown_numbers(item, text):
    pieces = preview(item, text).mathml.split("<mn>")[1:]
    return [piece.partition("</mn>")[0] for piece in pieces]


class TestShownKey:
    @pytest.mark.parametrize("language", LANGUAGES)
    @pytest.mark.parametrize(
        "item",
        [
            number_item("2.125"), number_item("1.000", form="decimal"), number_item("1234.5"),
            number_item("1234", form="integer"), number_item("2.125", unit="kg"),
            number_item(["0.5", "2.125"]), number_item(["2.5"]), number_item([]),
            number_item(["1.5", "2.125"], ordered=True),
            number_item(["1.5", "2"], ordered=True, names=["x", "y"]),
            expression_item("2.125*x + 0.5"), expression_item("x > 1.5"),
            expression_item("2.5*x", equation="y"),
        ],
        ids=answer_summary,
    )  # fmt: skip
    def test_is_right_when_it_is_typed(self, item, language):
        with translation.override(language):
            text = shown_key(item)
        assert verdict(item, text) is True, text

    def test_of_an_expression_is_in_the_language_of_the_page(self):
        item = expression_item("2.5*x")
        with translation.override("de"):
            assert shown_answer(item) == "$2{,}5x$"
            assert answer_summary(item) == "$2.5x$"

    @pytest.mark.parametrize(
        ("key", "latex"),
        [
            ("x^2/3", "x^2/3"), ("1/2^3", "1/2^3"), ("(1/2)^3", r"(\frac{1}{2})^3"),
            ("2.5/3", r"\frac{2.5}{3}"),
        ],
    )  # fmt: skip
    def test_of_an_expression_has_no_fraction_that_is_not_there(self, key, latex):
        assert answer_summary(expression_item(key)) == f"${latex}$"
