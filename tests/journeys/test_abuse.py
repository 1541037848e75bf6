"""Impatient hands, old pages and two devices: never two rows, never an error page."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.journeys.person import Person
from tutor.content import grading

pytestmark = pytest.mark.journey


@pytest.fixture
def student(sign_in):
    """A student with a question before them, in a session of their own."""
    student = sign_in("student")
    student.start()
    yield student
    assert student.complaints == []


def rows(student, presentation: str) -> int:
    """How many answers to this showing the database has."""
    [(count,)] = student.query(
        "SELECT count(*) FROM responses_response WHERE presentation = ?",
        student.id_for_query(presentation),
    )
    return count


def decisions_after(student, presentation: str) -> int:
    [(count,)] = student.query(
        "SELECT count(*) FROM scheduling_decision WHERE follows = ?",
        student.id_for_query(presentation),
    )
    return count


def fill_in_right(student) -> str:
    """Fill in the right answer without sending it; return the showing."""
    student.fill_in(grading.right_answer(student.item()))
    return student.presentation()


class TestTwice:
    def test_a_double_click_answers_once(self, student):
        shown = fill_in_right(student)

        with student.page.expect_navigation():
            student.page.get_by_role("button", name="Check").dblclick()

        assert student.page.locator(".verdict").count() == 1
        assert (rows(student, shown), decisions_after(student, shown)) == (1, 1)

    def test_going_back_leads_to_what_waits_and_not_to_what_is_answered(self, student):
        shown, question = fill_in_right(student), student.path
        student.press("Check")

        student.page.go_back()
        student.page.locator(".verdict").wait_for(state="detached")

        # The page follows the address: the next question, or where the session ended.
        if student.path == question:
            assert student.presentation() != shown
            student.answer(right=True)
            assert student.page.locator(".verdict.right").count() == 1
        else:
            assert student.path.endswith(("/summary/", "/help/"))
        assert (rows(student, shown), decisions_after(student, shown)) == (1, 1)

    def test_reloading_the_feedback_changes_nothing(self, student):
        shown = fill_in_right(student)
        student.press("Check")
        told = student.page.locator("main").inner_text()

        student.page.reload()
        student.page.reload()

        assert student.page.locator("main").inner_text() == told
        assert rows(student, shown) == 1

    def test_two_tabs_on_one_question_keep_the_first_answer(self, student):
        shown = fill_in_right(student)
        second = student.page.context.new_page()
        second.goto(student.page.url)
        student.press("Check")

        with second.expect_navigation():
            second.get_by_role("button", name="Check").click()

        # An empty answer in the second tab: that the question has been answered counts for more.
        assert second.locator(".verdict").count() == 1
        assert rows(student, shown) == 1

    def test_two_clicks_on_a_hint_open_one_rung(self, student):
        button = student.page.get_by_role("button", name="Show a hint")

        button.dblclick()
        student.page.get_by_text("Hint 1", exact=True).wait_for()
        student.page.reload()

        assert student.page.locator(".hints li").count() == 1


class TestAtOnce:
    def test_the_same_form_sent_eight_times_at_once_is_one_answer(self, student):
        shown = fill_in_right(student)

        codes = send_at_once(student, [form_of(student)] * 8)

        assert set(codes) == {200}
        assert (rows(student, shown), decisions_after(student, shown)) == (1, 1)

    def test_eight_devices_that_answer_at_once_give_one_answer(self, student):
        shown = fill_in_right(student)
        forms = []
        for number in range(8):
            form = form_of(student)
            key = f"00000000-0000-4000-8000-{number:012d}"
            forms.append([(k, key if k == "client_key" else v) for k, v in form])

        codes = send_at_once(student, forms)

        assert set(codes) == {200}
        assert (rows(student, shown), decisions_after(student, shown)) == (1, 1)


class TestTooLate:
    def test_an_answer_after_the_session_was_stopped_is_kept_and_no_error(self, student):
        shown = fill_in_right(student)
        second = student.page.context.new_page()
        second.goto(student.page.url)
        with second.expect_navigation():
            second.get_by_role("button", name="Stop for now").click()

        student.press("Check")

        assert student.page.locator(".verdict").count() == 1
        assert student.page.get_by_role("link", name="See how it went").is_visible()
        assert (rows(student, shown), decisions_after(student, shown)) == (1, 0)

    def test_an_unreadable_one_after_the_session_was_stopped_is_no_error(self, student):
        second = student.page.context.new_page()
        second.goto(student.page.url)
        with second.expect_navigation():
            second.get_by_role("button", name="Stop for now").click()
        if student.item().kind == "multiple_choice":
            pytest.skip("choosing nothing is an answer there")

        student.press("Check")

        assert student.page.locator("h1").is_visible()
        assert student.path.startswith("/learn/")

    def test_stopping_twice_shows_the_same_summary(self, student):
        address = student.page.url
        second = student.page.context.new_page()
        second.goto(address)
        student.press("Stop for now")

        with second.expect_navigation():
            second.get_by_role("button", name="Stop for now").click()

        assert second.url == student.page.url

    def test_an_answer_from_a_page_from_before_signing_in_anew_is_not_lost(self, student):
        shown = fill_in_right(student)
        second = Person(page=student.page.context.new_page(), site=student.site, username="student")
        second.open("/learn/")
        second.press("Sign out")
        second.sign_in()

        student.press("Check")

        assert student.page.locator(".verdict").count() == 1
        assert rows(student, shown) == 1

    def test_a_broken_form_says_so(self, student):
        student.page.locator("[name=client_key]").first.evaluate("field => field.value = 'x'")
        fill_in_right(student)

        student.press("Check")

        assert "open it again" in student.page.locator("main").inner_text()


def form_of(student) -> list[tuple[str, str]]:
    """What the browser would send."""
    return [
        (name, value)
        for name, value in student.page.locator("form.answering").first.evaluate(
            "form => [...new FormData(form).entries()]"
        )
    ]


def send_at_once(student, forms) -> list[int]:
    """Send the forms at the same moment, past the page's own guard; return the final statuses."""
    action = student.page.locator("form.answering").first.get_attribute("action")
    cookies = {c["name"]: c["value"] for c in student.page.context.cookies()}

    def send(form) -> int:
        return requests.post(
            f"{student.site.url}{action}", data=form, cookies=cookies, timeout=30
        ).status_code

    with ThreadPoolExecutor(len(forms)) as threads:
        return list(threads.map(send, forms))
