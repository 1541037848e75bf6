"""Bodies and rendered items for tests of content."""

from tutor.content.rendered import choice_id
from tutor.content.templates import instantiate


def body(kind="number", **fields):
    defaults = {
        "slug": "an-item",
        "kind": kind,
        "stem": "What?",
        "hints": ["One.", "Two."],
        "solution": "So.",
    }
    return {**defaults, **fields}


def option_id(index, slug="an-item"):
    """Return the id of an option of `body`, by its place in the author's order."""
    return choice_id(slug=slug, index=index)


def number_item(value="3", *, wrong=(), **answer):
    key = {"values": value} if isinstance(value, list) else {"value": value}
    return instantiate(body(answer={**key, **answer}, wrong=wrong), seed=0)


def expression_item(expression="2*x + 3", variables=("x",), *, wrong=(), **answer):
    fields = {"expression": expression, "variables": list(variables), **answer}
    return instantiate(body("expression", answer=fields, wrong=wrong), seed=0)


def text_item(*accepted, wrong=(), **answer):
    fields = {"accepted": list(accepted), **answer}
    return instantiate(body("text", answer=fields, wrong=wrong), seed=0)


def choice_item(kind="single_choice", correct=(0,), count=4, **fields):
    choices = [{"text": f"option {n}", "correct": n in correct} for n in range(count)]
    return instantiate(body(kind, choices=choices, **fields), seed=0)


EQUATION = body(
    slug="two-step-equation",
    parameters=[
        ["a", "integer(2, 9)"],
        ["x", "integer(-9, 9, exclude=[0])"],
        ["b", "choice([1, 2, 5])"],
        ["c", "a*x + b"],
    ],
    conditions=["a != b"],
    stem="Solve $[[term(a, 'x')]] [[signed(b)]] = [[c]]$ for $x$.",
    answer={"value": "x"},
    wrong=[{"value": "(c + b)/a", "misconception": "sign-dropped"}],
)
