"""A student answers ten questions, and everything is in the database."""

import pytest

from tutor.content import grading

pytestmark = pytest.mark.journey

# What is done once each, as soon as a question comes that it can be done with; the rest: "right".
MANNERS = ("wrong", "unreadable", "hint", "retry")
UNSUITABLE = {("unreadable", "multiple_choice"), ("retry", "self_marked")}
QUESTIONS = 10


class TestTenQuestions:
    def test_move_mastery_state_a_reason_and_end_in_a_finish(self, sign_in):
        student = sign_in("student")
        student.start()
        manners = answer_all(student)

        assert set(manners) == {*MANNERS, "right"}
        assert "last question of this session" in student.page.locator("main").inner_text()
        assert student.page.locator(".changes .went").count() > 0
        assert student.complaints == []
        check_the_database(student, manners)


def answer_all(student) -> list[str]:
    """Answer a whole session; return in which manner each question was answered."""
    page, manners, pending = student.page, [], list(MANNERS)
    for number in range(1, QUESTIONS + 1):
        assert page.get_by_text(f"Question {number} of {QUESTIONS}", exact=True).is_visible()
        assert page.locator(".reason").inner_text().strip().endswith(".")
        kind = student.item().kind
        manner = next((m for m in pending if (m, kind) not in UNSUITABLE), "right")
        manners.append(manner)
        pending = [m for m in pending if m != manner]
        answer_in(manner, student)
        # Mastery of the concept before and after, with the direction in a word.
        assert page.locator(".shifts .move").count() >= 1
        student.press("Next question" if number < QUESTIONS else "See how it went")
    return manners


def check_the_database(student, manners: list[str]) -> None:
    """Check that every answer and every decision is in the database the server uses."""
    answers, decisions = student.answers(), student.decisions()
    first = [row for row in answers if row[1] == 1]
    assert [bool(row[2]) for row in first] == [m not in ("wrong", "retry") for m in manners]
    assert [row[3] for row in first] == [int(manner == "hint") for manner in manners]
    again = [row for row in answers if row[1] > 1]
    assert [row[:2] for row in again] == [(first[manners.index("retry")][0], 2)]

    shown, finish = decisions[:-1], decisions[-1]
    assert [row[0] for row in shown] == [row[0] for row in first]
    assert finish[1:3] == (None, "limit-reached")
    # Each decision names the answer that led to it.
    assert [row[3] for row in decisions[1:]] == [row[0] for row in first]


def answer_in(manner: str, student) -> None:
    """Answer the question on the page in one of MANNERS."""
    if manner == "unreadable":
        send_nothing(student)
    elif manner == "hint":
        student.page.get_by_role("button", name="Show a hint").click()
        student.page.get_by_text("Hint 1", exact=True).wait_for()
    student.answer(right=manner not in ("wrong", "retry"))
    if manner == "retry":
        student.page.get_by_text("Try again").click()
        student.fill_in(grading.right_answer(student.item()))
        student.press("Check again")
        assert student.page.locator(".verdict").count() == 2
        assert "✓ Right" in student.page.locator(".verdict").last.inner_text()


def send_nothing(student) -> None:
    """Send an empty answer; it is not counted and the question stays."""
    before = student.answers()
    with student.page.expect_navigation():
        student.page.get_by_role("button", name="Check").click()
    assert "not counted" in student.page.get_by_role("alert").inner_text()
    assert student.answers() == before


class TestStopping:
    def test_ends_with_a_summary_and_may_go_on(self, sign_in):
        student = sign_in("other")
        student.start()
        student.answer(right=True)
        student.press("Next question")

        student.press("Stop for now")

        assert "You stopped here" in student.page.locator("main").inner_text()
        student.press("Practise some more")
        assert student.page.get_by_text("Question 1 of 10", exact=True).is_visible()
        assert student.complaints == []

    def test_of_a_page_that_is_left_goes_on_where_it_was(self, sign_in):
        student = sign_in("newcomer")
        student.start()
        waiting = student.presentation()

        student.open("/")
        student.press("Continue with Everything")

        assert student.presentation() == waiting


class TestTeacher:
    def test_sees_the_answers_and_why_each_question_came(self, sign_in):
        student = sign_in("newcomer")
        student.start()
        student.answer(right=False)

        teacher = sign_in("teacher")
        teacher.press("7b")
        assert teacher.page.get_by_role("link", name="Nia Newcomer").is_visible()
        teacher.press("Nia Newcomer")
        assert teacher.page.get_by_text("✗ wrong").count() >= 1
        with teacher.page.expect_navigation():
            teacher.page.locator("td a").nth(1).click()

        assert "Why this, why not that" in teacher.page.locator("h1").inner_text()
        assert "✗ wrong" in teacher.page.locator("main").inner_text()
        assert teacher.complaints == []
