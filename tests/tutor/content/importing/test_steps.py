"""Steps as items: what is asked, which hints there are, what is refused."""

import pytest

from tests.tutor.content.importing.factories import problem, step_data
from tutor.content.importing import oatutor_records, oatutor_steps, rewriting, texts
from tutor.content.importing.hints import DROPPED, NO_PICTURE, in_order
from tutor.content.importing.listed import Unfit
from tutor.content.importing.oatutor_records import RawHint, read_problem
from tutor.content.importing.oatutor_steps import convert_problem
from tutor.content.importing.wording import wording_of

WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight")


def results(*steps, **fields):
    return list(convert_problem(problem(*steps, **fields), wording=wording_of("en")))


def item(*steps, at=0, **fields):
    found = results(*steps, **fields)[at]
    assert found.item is not None, found.listed
    return found.item


def reason(*steps, at=0, **fields):
    found = results(*steps, **fields)[at]
    assert found.item is None
    [row] = found.listed
    return row.reason


def hint(number, text, *needs, title="", **fields):
    return {
        "id": f"h{number}",
        "type": "scaffold" if "hintAnswer" in fields else "hint",
        "title": title,
        "text": text,
        "dependencies": [f"h{need}" for need in needs],
        **fields,
    }


def with_hints(*hints, answer="$$144$$", **fields):
    tutoring = {"p1aDefaultPathway.json": list(hints)}
    return step_data(answer=answer, tutoring=tutoring, **fields)


class TestStem:
    def test_says_title_body_and_step(self):
        stem = item(step_data(stepBody="Write it as a number.")).stem
        assert stem.split("\n\n") == [
            "**A title**",
            "A body.",
            "What is two and two?",
            "Write it as a number.",
        ]

    def test_says_no_text_twice(self):
        assert item(step_data(stepTitle="A title"), body="").stem == "A title"

    def test_tells_a_later_part_what_was_found_before(self):
        first = step_data("a", stepTitle="What is the slope?", answer="$$2$$")
        second = step_data("b", stepTitle="Where does it meet $$y$$?", answer="$$3$$")

        stem = item(first, second, at=1).stem

        assert "Part 2 of 2. You have found so far:\n– What is the slope? **Answer:** $2$" in stem
        assert "found" not in item(first, second, at=0).stem

    def test_does_not_show_exercises_of_the_same_kind_to_one_another(self):
        first = step_data("a", stepTitle="Round $$14$$ to tens", answer="$$10$$")
        second = step_data("b", stepTitle="Round $$27$$ to tens", answer="$$30$$")
        assert "found" not in item(first, second, at=1).stem

    def test_does_not_give_the_answer_away_by_an_earlier_part(self):
        first = step_data("a", stepTitle="Find the deviation.", answer="$$6.64$$")
        second = step_data("b", stepTitle="What is our final answer?", answer="$$6.64$$")
        assert "6.64" not in item(first, second, at=1).stem

    def test_shows_the_latest_parts_only(self):
        steps = [
            step_data(letter, stepTitle=f"Find {word}.", answer=f"$${number}$$")
            for number, (letter, word) in enumerate(zip("abcdefgh", WORDS, strict=True))
        ]
        stem = item(*steps, at=7).stem
        assert [f"Find {word}" in stem for word in ("two", "three", "seven")] == [False, True, True]

    def test_refuses_a_part_without_a_question(self):
        silent = step_data("b", stepTitle="", answer="$$5$$")
        assert reason(step_data("a"), silent, at=1) == oatutor_steps.NO_QUESTION
        assert item(step_data(stepTitle="")).stem == "**A title**\n\nA body."

    @pytest.mark.parametrize(
        ("fields", "expected"),
        [
            ({"body": r"\n##figure1.gif"}, texts.PICTURE),
            ({"body": "Use the graph shown below."}, oatutor_steps.NO_PICTURE),
            ({"body": "In the following figure, find x."}, oatutor_steps.NO_PICTURE),
            ({"body": "See www.example.org"}, texts.FOREIGN),
            ({"variabilization": {"n": ["1", "2"]}}, texts.VARIABLES),
            ({"body": "Solve $$x"}, texts.BROKEN),
        ],
    )
    def test_refuses_what_cannot_be_shown(self, fields, expected):
        assert reason(step_data(), **fields) == expected

    def test_takes_a_question_that_asks_to_draw(self):
        assert item(step_data(stepTitle="Graph the line and give its slope."))

    def test_refuses_a_part_after_one_that_cannot_be_shown(self):
        first = step_data("a", stepTitle=r"See it\n##figure1.gif##", answer="$$2$$")
        second = step_data("b", stepTitle="And then?", answer="$$3$$")
        assert reason(first, second, at=1) == oatutor_steps.EARLIER

    def test_refuses_inputs_we_do_not_have(self):
        assert reason(step_data(problemType="DragDrop")) == oatutor_steps.UNKNOWN_TYPE
        assert reason(step_data(answerType="code")) == oatutor_steps.UNKNOWN_TYPE

    def test_refuses_a_key_that_our_grader_judges_wrong(self):
        nested = step_data(answer=r"$$\sqrt{2+\sqrt{3}}$$")
        assert reason(nested) == oatutor_steps.NOT_CHECKED

    def test_refuses_a_key_that_contradicts_the_question(self):
        wrong = step_data(stepTitle="Factor $$x^2+18x+45$$", answer="$$(x-15)(x-3)$$")
        assert reason(wrong) == rewriting.CONTRADICTS


class TestHints:
    def test_stand_in_the_order_of_their_needs(self):
        found = item(with_hints(hint(2, "Second.", 1), hint(1, "First."), hint(3, "Third.", 2, 1)))
        assert found.hints == ("First.", "Second.", "Third.")

    def test_ask_a_smaller_question_and_then_give_its_answer(self):
        asked = hint(1, "What is $$6\\times2$$?", title="Twelve", hintAnswer=["$$12$$"])
        found = item(with_hints(asked, hint(2, "Square it.", 1)))
        assert found.hints == (
            "**Twelve**\nWhat is $6\\times2$?",
            "Answer: $12$",
            "Square it.",
        )

    def test_show_the_choices_of_a_smaller_question(self):
        asked = hint(1, "Which?", hintAnswer=["$$2$$"], choices=["$$1$$", "$$2$$"])
        assert item(with_hints(asked)).hints[0] == "Which?\n– $1$\n– $2$"

    def test_come_once_each(self):
        found = item(with_hints(hint(1, "One."), hint(1, "One."), hint(2, "One.")))
        assert found.hints == ("One.",)

    def test_put_inner_hints_behind_their_question(self):
        inner = [hint("1-s2", "Inner two.", "1-s1"), hint("1-s1", "Inner one.")]
        asked = hint(1, "Which?", hintAnswer=["$$2$$"], subHints=inner)
        found = item(with_hints(asked, hint(2, "Then.", 1)))
        assert found.hints == ("Which?", "Answer: $2$", "Inner one.", "Inner two.", "Then.")

    def test_give_the_answer_last(self):
        early = hint(1, "It is $$12^2=144$$.")
        small = hint(2, "How much is it?", 1, hintAnswer=["$$144$$"])
        found = item(with_hints(early, small, hint(3, "Think of a square.", 2)))
        assert found.hints == (
            "Think of a square.",
            "It is $12^2=144$.",
            "How much is it?",
            "Answer: $144$",
        )
        # The solution keeps the author's order.
        assert found.solution == (
            "It is $12^2=144$.\n\nHow much is it?\nAnswer: $144$\n\nThink of a square."
        )

    def test_do_not_take_a_number_of_the_question_for_the_answer(self):
        found = item(
            with_hints(hint(1, "Look at $$144$$."), hint(2, "Go on.")),
            body="Which is larger, $$144$$ or $$100$$?",
        )
        assert found.hints == ("Look at $144$.", "Go on.")

    def test_drop_what_cannot_be_shown_and_say_so(self):
        [found] = results(
            with_hints(
                hint(1, "See the picture.\\n##figure1.gif##"),
                hint(2, "Broken $$x"),
                hint(3, "Take twelve times twelve and write it down.\\n##figure1.gif##"),
            )
        )
        assert found.item.hints == ("Take twelve times twelve and write it down.",)
        assert [row.reason for row in found.listed] == [DROPPED, DROPPED, NO_PICTURE]

    def test_survive_a_circle(self):
        hints = [RawHint(f"h{n}", "", str(n), (f"h{3 - n}",), False) for n in (1, 2)]
        assert {found.text for found in in_order(hints)} == {"1", "2"}

    def test_may_be_none(self):
        found = item(step_data())
        assert (found.hints, found.solution) == ((), "Answer: $4$")


class TestReadProblem:
    @pytest.mark.parametrize(
        "data",
        [
            [],
            {"title": "no id"},
            {"id": "p1", "steps": "none"},
            {"id": "p1", "steps": [[]]},
            {"id": "p1", "title": ["x"]},
            {"id": "p1", "steps": [step_data(stepAnswer=[{}])]},
            {"id": "p1", "steps": [step_data(tutoring=["x"])]},
            {"id": "p1", "steps": [step_data(tutoring={"x": {}})]},
            {"id": "p1", "title": "a\x00b"},
            {"id": "p1", "title": "\ud800"},
            {"id": "p1", "steps": [step_data(choices=["a\x00"])]},
        ],
    )
    def test_refuses_another_shape(self, data):
        with pytest.raises(Unfit) as caught:
            read_problem(data)
        assert caught.value.reason == oatutor_records.MALFORMED

    def test_reads_the_default_pathway(self):
        tutoring = {
            "p1aAnother.json": [hint(1, "No.")],
            "p1aDefaultPathway.json": [hint(1, "Yes.")],
        }
        assert item(step_data(tutoring=tutoring)).hints == ("Yes.",)
