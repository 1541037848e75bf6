"""LaTeX answers in the grader's syntax: the same value, or refused with a reason."""

from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tutor.content.grading import UnreadableAnswer
from tutor.content.grading.algebra_parser import parse
from tutor.content.grading.equivalence import are_equal, evaluate
from tutor.content.importing import latex
from tutor.content.importing.latex import read_expression
from tutor.content.importing.listed import Unfit

VARIABLES = ("x", "y", "π")
POINT = {"x": {1: Fraction(3)}, "y": {1: Fraction(-2, 5)}, "π": {1: Fraction(22, 7)}}


def leaves():
    numbers = st.integers(0, 99).map(lambda n: (str(n), Fraction(n)))
    decimals = st.integers(1, 999).map(lambda n: (f"{n / 100:.2f}", Fraction(n, 100)))
    letters = st.sampled_from(
        [("x", Fraction(3)), ("y", Fraction(-2, 5)), (r"\pi ", Fraction(22, 7))]
    )
    return st.one_of(numbers, decimals, letters)


def grown(inner):
    pairs = st.tuples(inner, inner)
    # OATutor sets brackets in these two ways.
    bracket = st.sampled_from([r"\left({}\right)", "({})"])
    return st.one_of(
        st.tuples(pairs, bracket).map(
            lambda p: (p[1].format(f"{p[0][0][0]}+{p[0][1][0]}"), p[0][0][1] + p[0][1][1])
        ),
        st.tuples(pairs, bracket).map(
            lambda p: (
                f"{p[1].format(p[0][0][0])} {p[1].format('-' + p[0][1][0])}",
                -p[0][0][1] * p[0][1][1],
            )
        ),
        pairs.filter(lambda p: p[1][1] != 0).map(
            lambda p: (rf"\frac{{{p[0][0]}}}{{{p[1][0]}}}", p[0][1] / p[1][1])
        ),
        pairs.map(lambda p: (rf"{p[0][0]}\times {p[1][0]}", p[0][1] * p[1][1])),
        st.tuples(inner, st.integers(2, 3)).map(
            lambda p: (rf"\left({p[0][0]}\right)^{p[1]}", p[0][1] ** p[1])
        ),
        inner.map(lambda p: (rf"\sqrt{{{{\left({p[0]}\right)}}^2}}", abs(p[1]))),
    )


expressions = st.recursive(leaves(), grown, max_leaves=6)


class TestReadExpression:
    @given(expressions)
    def test_keeps_the_value(self, written):
        text, value = written

        reading = read_expression(f"$${text}$$")

        try:
            found = evaluate(parse(reading.text, VARIABLES), POINT)
        except UnreadableAnswer:
            assume(False)  # numbers beyond the grader's limits
        assert found == ({1: value} if value else {})

    @given(st.text(alphabet=r"\{}()[]^_ frcsqtxy12.,+-*/=<|$", max_size=25))
    def test_reads_or_refuses_anything(self, text):
        try:
            reading = read_expression(text)
        except Unfit:
            return
        assert set(reading.text) <= {*"0123456789.+-*/^()sqrt", *reading.variables}

    @pytest.mark.parametrize(
        ("written", "meant"),
        [
            (r"$$\frac{-4}{21}$$", "-4/21"),
            (r"$$7x \left(x+2\right) \left(x-5\right)$$", "7*x*(x+2)*(x-5)"),
            (r"$$x y^3-3x$$", "x*y^3-3*x"),
            (r"$$p 3q$$", "3*p*q"),
            (r"$$3\times{10}^4$$", "30000"),
            (r"$$b^{\left(-4\right)}$$", "b^(-4)"),
            (r"$$-2+\sqrt{x+3}$$", "sqrt(x+3)-2"),
            ("(81*pi)/4", "81*π/4"),
            ("3*(x**2+2x-3)", "3*x^2+6*x-9"),
            ("2rpi", "2*r*π"),
            (r"$$\frac{π}{6}$$", "π/6"),
            # Braces are not seen: a power stands at the last factor alone.
            ("$$12{ab}^2$$", "12*a*b^2"),
            (r"$$4{y\left(5x-2\right)}^2$$", "4*y*(5*x-2)^2"),
            (r"$${\left(-3\right)}^5+{10}^2$$", "-143"),
        ],
    )
    def test_reads_what_the_data_holds(self, written, meant):
        reading = read_expression(written)
        assert are_equal(
            parse(reading.text, reading.variables),
            parse(meant, reading.variables),
            reading.variables,
        )

    @pytest.mark.parametrize(
        ("written", "reason"),
        [
            (r"$$2sin\left(x\right)$$", latex.FUNCTION),
            (r"$$\log_{2}\left(8\right)$$", latex.FUNCTION),
            (r"$$\sqrt[3]{y}$$", latex.ROOT),
            (r"$$|x|$$", latex.BARS),
            (r"$$x_1$$", latex.INDEX),
            (r"$$\frac{1}{\theta}$$", latex.GREEK),
            (r"$$\begin{bmatrix} 1 & 2 \end{bmatrix}$$", latex.MATRIX),
            (r"$$\pm 3$$", latex.PLUS_MINUS),
            (r"$$4\frac{1}{2}$$", latex.MIXED),
            ("(2, 3)", latex.SEVERAL),
            ("No solution", latex.WORDS),
            ("HCl", latex.WORDS),
            ("5 cm", latex.WORDS),
            ("x2", latex.BROKEN),
            ("3 4", latex.BROKEN),
            ("(x+1", latex.BROKEN),
            ("$${x+2}^2$$", latex.BROKEN),
            ("", latex.BROKEN),
        ],
    )
    def test_refuses_what_the_grader_cannot_judge(self, written, reason):
        with pytest.raises(Unfit) as caught:
            read_expression(written)
        assert caught.value.reason == reason
