"""Numbers in every way learners write them."""

from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.tutor.content.factories import number_item
from tutor.content.grading import UnreadableAnswer, grade, right_answer
from tutor.content.grading.number_reading import read_number


def refused(error):
    assert len(error.message) > 10  # a sentence, not a code


def judge(item, text):
    return grade(item, {"text": text})


READ_AS = [
    ("3", "3"), ("+3", "3"), ("-3", "-3"), ("−3", "-3"), ("–3", "-3"), ("- 3", "-3"),
    ("1/2", "1/2"), ("1 / 2", "1/2"), ("-1/2", "-1/2"), ("1/-2", "-1/2"), ("(-1)/2", "-1/2"),
    ("½", "1/2"), ("1½", "3/2"), ("1⁄2", "1/2"), ("3÷4", "3/4"),
    ("0.5", "1/2"), (".5", "1/2"), ("-.5", "-1/2"), ("0,5", "1/2"), ("1,25", "5/4"), ("5.", "5"),
    ("1 1/2", "3/2"), ("-1 1/2", "-3/2"), ("2  3/4", "11/4"),
    ("1,234,567", "1234567"), ("1,234.5", "2469/2"), ("1.234,5", "2469/2"), ("1 234", "1234"),
    ("1 234 567", "1234567"), ("1'234", "1234"), ("1.234.567", "1234567"), ("1 234,5", "2469/2"),
    ("1.234", "617/500"), ("0,123", "123/1000"),
    ("3e5", "300000"), ("3E5", "300000"), ("3e-2", "3/100"), ("3*10^5", "300000"),
    ("3 × 10^5", "300000"), ("3x10^5", "300000"), ("3·10^-2", "3/100"), ("3 × 10⁵", "300000"),
    ("2.5 × 10⁻³", "1/400"), ("3*10^(-2)", "3/100"), (r"3\times 10^{5}", "300000"),
    ("3*10**5", "300000"), ("x = 3", "3"), ("x=3", "3"), ("= 3", "3"), ("y = -1/2", "-1/2"),
    ("$3$", "3"), ("0", "0"), ("-0", "0"), ("007", "7"),
]  # fmt: skip


class TestReadNumber:
    @pytest.mark.parametrize(("text", "value"), READ_AS)
    def test_reads(self, text, value):
        assert read_number(text).value == Fraction(value)

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("", "empty"),
            ("1/0", "0 below the line"),
            ("3 oder 4", "more than one"),
            ("3; 4", "more than one"),
            ("3 or 4", "more than one"),
            ("3, 4", "more than one"),
            ("3 + 4", "calculation"),
            ("2*3", "calculation"),
            ("three", "digits"),
            ("√2", "Work the number out"),
            ("sqrt(2)", "digits|Work"),
            ("2^3", "Work the number out"),
            ("1.2.3", "one number"),
            ("3e9999", "beyond"),
            ("9" * 60, "more than 40 digits"),
            ("3 4", "cannot be read"),
            ("?", "not a number"),
            ("3 <b>", "cannot be read"),
        ],
    )
    def test_refuses_with_a_way_to_write_it(self, text, says):
        with pytest.raises(UnreadableAnswer, match=says):
            read_number(text)

    @pytest.mark.parametrize(
        ("text", "decimal", "grouped"),
        [
            ("1.234", "1.234", "1234"), ("1,234", "1.234", "1234"), ("-1.000", "-1", "-1000"),
            ("12,500 g", "12.5", "12500"), ("1,500/2", "0.75", "750"), ("0.123", "0.123", None),
            ("1234,567", "1234.567", None), ("1.2345", "1.2345", None),
            ("1.234.567", "1234567", None),
        ],
    )  # fmt: skip
    def test_gives_both_readings_of_one_mark_before_three_digits(self, text, decimal, grouped):
        reading = read_number(text)
        assert reading.value == Fraction(decimal)
        assert reading.grouped == (None if grouped is None else Fraction(grouped))
        assert bool(reading.doubtful) is (grouped is not None)

    @pytest.mark.parametrize(
        ("text", "form"),
        [("1,000,000", "integer"), ("1.000.000", "integer"), ("5.0", "decimal"), ("5.", "integer"),
         ("1 ,5", "decimal"), ("1.234.567,0", "decimal")],
    )  # fmt: skip
    def test_tells_groups_from_decimals(self, text, form):
        assert read_number(text).form == form

    @given(st.fractions(max_denominator=1000))
    def test_reads_back_every_fraction(self, value):
        assert read_number(str(value)).value == value

    @given(st.integers(-(10**9), 10**9), st.integers(0, 6))
    def test_reads_back_every_decimal(self, digits, places):
        value = Fraction(digits, 10**places)
        assert read_number(f"{float(value):.{places}f}").value == value


class TestEquivalentForms:
    @pytest.mark.parametrize("text", ["1/2", "0.5", "50 %", "50%", ".5", "2/4", "5e-1", "0,5"])
    def test_half_is_half(self, text):
        assert judge(number_item("1/2"), text).is_correct

    @pytest.mark.parametrize("text", ["1/3", "50", "5", "-0.5", "0.51"])
    def test_others_are_not(self, text):
        result = judge(number_item("1/2"), text)
        assert (result.is_correct, result.credit) == (False, 0)

    def test_tolerance_is_absolute_and_inclusive(self):
        item = number_item("3.14", tolerance="0.01")

        assert judge(item, "3.15").is_correct
        assert judge(item, "3.13").is_correct
        assert not judge(item, "3.151").is_correct


class TestForm:
    @pytest.mark.parametrize(
        ("form", "right", "other"),
        [
            ("simplest", ["1/2"], ["2/4", "0.5", "50%", "1/2 %"]),
            ("fraction", ["1/2", "2/4"], ["0.5", "50%"]),
            ("decimal", ["0.5", ".50", "0,5"], ["1/2"]),
            ("percent", ["50%", "50", "50 percent"], ["0.5", "1/2"]),
        ],
    )
    def test_gives_half_credit_for_the_value_in_another_form(self, form, right, other):
        item = number_item("1/2", form=form)

        for text in right:
            assert judge(item, text).is_correct, text
        for text in other[: 1 if form == "simplest" else None]:
            result = judge(item, text)
            assert (result.is_correct, result.credit) == (False, 0.5), text
            assert "right" in result.feedback

    @pytest.mark.parametrize(
        ("text", "credit"), [("3/2", 1), ("1 1/2", 1), ("6/4", 0.5), ("1 2/4", 0.5), ("1.5", 0.5)]
    )
    def test_simplest_takes_mixed_numbers(self, text, credit):
        assert judge(number_item("3/2", form="simplest"), text).credit == credit

    @pytest.mark.parametrize(("text", "credit"), [("3", 1), ("3/1", 0.5), ("6/2", 0.5)])
    def test_simplest_whole_numbers_have_no_line(self, text, credit):
        assert judge(number_item("3", form="simplest"), text).credit == credit

    def test_integer_refuses_a_fraction_line(self):
        assert judge(number_item("3", form="integer"), "6/2").credit == 0.5
        assert judge(number_item("3", form="integer"), "3").is_correct


class TestUnits:
    @pytest.mark.parametrize(
        ("unit", "value", "text"),
        [
            ("cm", "3", "3 cm"), ("cm", "3", "3"), ("cm", "3", "30 mm"), ("cm", "3", "0.03m"),
            ("kg", "2", "2000 g"), ("min", "90", "1.5 h"), ("h", "3/2", "1 1/2 hours"),
            ("ml", "500", "0.5 l"), ("$", "4", "$4"), ("$", "4", "4 dollars"), ("€", "4", "4 €"),
            ("$", "4.5", "$4.50"), ("cm²", "6", "6 cm^2"), ("cm^2", "6", "6 cm2"),
            ("m²", "1", "10000 cm²"), ("km/h", "36", "10 m/s"), ("%", "20", "20 %"),
            ("%", "20", "20"), ("°", "30", "30 degrees"), ("apples", "3", "3 apples"),
            ("apples", "1", "1 apple"), ("m", "-2", "-2 m"), ("$", "-4", "-$4"),
        ],
    )  # fmt: skip
    def test_converts_within_a_family(self, unit, value, text):
        assert judge(number_item(value, unit=unit), text).is_correct

    def test_another_family_is_wrong_and_says_why(self):
        result = judge(number_item("3", unit="cm"), "3 kg")
        assert not result.is_correct
        assert "cm" in result.feedback

    def test_an_unknown_unit_is_not_counted(self):
        with pytest.raises(UnreadableAnswer, match="“foo”"):
            judge(number_item("3", unit="cm"), "3 foo")

    def test_a_required_unit_is_asked_for(self):
        with pytest.raises(UnreadableAnswer, match="unit"):
            judge(number_item("3", unit="cm", unit_required=True), "3")

    def test_a_plain_number_takes_no_unit(self):
        with pytest.raises(UnreadableAnswer, match="leave out"):
            judge(number_item("3"), "3 cm")

    def test_a_bare_half_for_fifty_per_cent_is_the_other_form(self):
        assert judge(number_item("50", unit="%"), "0.5").credit == 0.5


class TestSets:
    @pytest.mark.parametrize(
        "text",
        ["x = 2 or x = -3", "2; -3", "2, -3", "-3,2", "x=2, x=-3", "{2, -3}", "2 and -3",
         "x₁ = 2 or x₂ = -3".replace("₁", "1").replace("₂", "2"), "2\n-3", "-3; 2; 2"],
    )  # fmt: skip
    def test_order_and_separator_do_not_matter(self, text):
        assert judge(number_item(["2", "-3"]), text).is_correct

    @pytest.mark.parametrize(
        ("values", "text"),
        [
            (["0.5"], "0,5"),
            (["0.5", "1.5"], "0,5; 1,5"),
            (["0.5", "1.5"], "x = 0,5 oder x = 1,5"),
            (["0.5", "1.5"], "0,5 und 1,5"),
            (["0.5", "1.5"], "0,5, 1,5"),
            (["0", "5"], "0,5"),
            (["2", "3"], "2,3"),
            (["2.3"], "2,3"),
        ],
    )
    def test_a_comma_separates_or_marks_a_decimal_whichever_makes_it_right(self, values, text):
        assert judge(number_item(values), text).is_correct

    def test_a_decimal_comma_makes_nothing_else_right(self):
        assert judge(number_item(["0.5", "2"]), "0,5").credit == 0.5
        assert not judge(number_item(["2", "-3"]), "2,5").is_correct

    @pytest.mark.parametrize(
        "text", ["keine Lösung", "Keine reellen Lösungen.", "no solution", "∅", "{}", "{ }"]
    )
    def test_no_solution_may_be_said_in_any_language_of_the_pages(self, text):
        assert judge(number_item([]), text).is_correct

    def test_plus_minus_gives_both(self):
        assert judge(number_item(["3", "-3"]), "x = ±3").is_correct
        assert judge(number_item(["3", "-3"]), "+-3").is_correct

    @pytest.mark.parametrize(
        ("text", "credit"), [("2", 0.5), ("2, 5", 0), ("2, -3, 5", 0.5), ("7", 0), ("4, 5", 0)]
    )
    def test_credit_is_found_less_wrongly_given(self, text, credit):
        result = judge(number_item(["2", "-3"]), text)
        assert (result.is_correct, result.credit) == (False, credit)

    def test_no_solution_is_an_answer(self):
        assert judge(number_item([]), "no real solutions").is_correct
        assert not judge(number_item([]), "0").is_correct
        assert not judge(number_item(["2", "-3"]), "none").is_correct

    def test_a_double_root_is_one_solution(self):
        assert judge(number_item(["2", "2"]), "2").is_correct

    def test_anticipated_sets_name_the_misconception(self):
        item = number_item(
            ["2", "-3"], wrong=[{"values": ["-2", "3"], "misconception": "signs-swapped"}]
        )
        assert judge(item, "3, -2").misconception == "signs-swapped"

    @pytest.mark.parametrize("text", ["(1, -2)", "1, -2", "x = 1, y = -2", "y = -2; x = 1"])
    def test_ordered_values_may_be_named(self, text):
        item = number_item(["1", "-2"], ordered=True, names=["x", "y"])
        assert judge(item, text).is_correct

    def test_ordered_values_have_an_order(self):
        item = number_item(["1", "-2"], ordered=True)
        assert not judge(item, "(-2, 1)").is_correct
        for text in ("1", "none", "{}"):
            with pytest.raises(UnreadableAnswer, match="2 numbers"):
                judge(item, text)


class TestMisconceptions:
    WRONG = (
        {"value": "5", "misconception": "sign-dropped", "feedback": "Look at the sign."},
        {"value": "3", "misconception": "never"},
    )

    def test_an_anticipated_value_names_its_misconception(self):
        result = judge(number_item("3", wrong=self.WRONG), "10/2")
        assert (result.misconception, result.feedback) == ("sign-dropped", "Look at the sign.")

    def test_another_wrong_value_names_none(self):
        assert judge(number_item("3", wrong=self.WRONG), "6").misconception is None

    def test_an_entry_equal_to_the_key_is_dropped(self):
        item = number_item("3", wrong=self.WRONG)
        assert [entry.misconception for entry in item.wrong] == ["sign-dropped"]


ITEMS = [
    number_item("3"),
    number_item("1/2", form="simplest"),
    number_item("1/2", form="percent"),
    number_item("-3", unit="$"),
    number_item("3", unit="cm"),
    number_item(["2", "-3"]),
    number_item([]),
    number_item(["1", "2"], ordered=True, names=["x", "y"]),
]


@pytest.mark.parametrize("item", ITEMS)
class TestEveryNumberItem:
    @given(text=st.text(max_size=60) | st.text("0123456789.,/+-*^() x=eE%$or±½²'\n", max_size=40))
    @example(text="1.")
    @example(text="'")
    @example(text="x=±")
    @example(text="²")
    @example(text="٣")
    @example(text="1e")
    def test_judges_or_refuses_any_text(self, item, text):
        try:
            result = judge(item, text)
        except UnreadableAnswer as error:
            refused(error)
        else:
            assert 0 <= result.credit <= 1
            assert result.is_correct == (result.credit == 1)

    def test_its_own_key_is_right(self, item):
        assert grade(item, right_answer(item)).is_correct


class TestKeyText:
    @pytest.mark.parametrize(
        ("value", "fields", "shown"),
        [
            ("46.8", {}, "46.8"),
            ("-0.50", {}, "-0.5"),
            ("1/2", {}, "1/2"),
            ("0.5", {"form": "fraction"}, "1/2"),
            ("2.5", {"unit": "kg"}, "2.5 kg"),
            (["0.5", "1/3"], {}, "0.5 or 1/3"),
        ],
    )
    def test_shows_a_decimal_where_the_author_wrote_one(self, value, fields, shown):
        item = number_item(value, **fields)
        assert right_answer(item) == {"text": shown}
        assert judge(item, shown).is_correct
