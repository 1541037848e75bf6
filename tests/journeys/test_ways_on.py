"""Leaving a question and coming back: on another device, after a pause, by a skip."""

import pytest

pytestmark = pytest.mark.journey


@pytest.fixture
def student(sign_in):
    student = sign_in("student")
    student.start()
    yield student
    assert student.complaints == []


class TestAnotherDevice:
    def test_goes_on_exactly_where_one_left_off(self, student, sign_in):
        student.answer(right=True)
        student.press("Next question")
        student.page.get_by_role("button", name="Show a hint").click()
        student.page.get_by_text("Hint 1", exact=True).wait_for()
        left = student.presentation(), student.page.locator(".progress").inner_text()
        hints = student.page.locator(".hints").inner_text()

        phone = sign_in("student", width=390, height=780)
        phone.open("/learn/")
        phone.press("Continue with Everything")

        assert (phone.presentation(), phone.page.locator(".progress").inner_text()) == left
        assert phone.page.locator(".hints").inner_text() == hints
        # What is answered there is answered here too.
        phone.answer(right=True)
        assert "as practice, not as proof" in phone.page.locator(".verdict").inner_text()
        student.page.reload()
        assert student.presentation() != left[0]
        assert phone.complaints == []


class TestWithoutAnswering:
    def test_a_pause_a_report_a_skip_and_what_is_new_lead_on_and_count_nothing(self, student):
        page, shown, before = student.page, student.presentation(), student.answers()

        student.press("Pause")
        student.press("Continue with Everything")
        assert student.presentation() == shown

        page.get_by_text("Report a problem").click()
        page.get_by_label("I cannot tell what is asked").check()
        page.get_by_role("button", name="Send the report").click()
        page.get_by_text("Your school can see your report").wait_for()
        assert student.presentation() == shown

        page.get_by_role("button", name="Skip", exact=True).click()
        page.locator(f"form.answering:not([action*='{shown}'])").first.wait_for()
        second = student.presentation()
        assert page.get_by_text("1 skip left today").is_visible()

        page.get_by_role("button", name="I haven’t learned this yet").click()
        page.get_by_role("heading", name="New to you").wait_for()
        assert "no wrong answer" in page.locator("main").inner_text()
        page.locator("[data-next]").click()
        page.locator("form.answering, h1:has-text('went'), .note").first.wait_for()

        assert student.answers() == before
        kinds = student.query(
            "SELECT s.kind FROM practice_setaside s JOIN scheduling_decision d "
            "ON d.id = s.decision_id WHERE d.public_id IN (?, ?) ORDER BY s.id",
            student.id_for_query(shown),
            student.id_for_query(second),
        )
        assert kinds == [("skip",), ("unlearnt",)]


class TestLanguage:
    def test_is_chosen_without_a_script(self, school, browser):
        context = browser.new_context(java_script_enabled=False, locale="en-GB")
        try:
            page = context.new_page()
            page.goto(f"{school.url}/sign-in/")
            page.get_by_role("button", name="Deutsch").click()
            page.get_by_label("Passwort").wait_for()

            assert page.locator("html").get_attribute("lang") == "de"
            assert page.get_by_role("button", name="Anmelden").is_visible()
        finally:
            context.close()
