"""The practice page at a browser: keys, preview, a bad network, another way on, a phone."""

import pytest

from tests.journeys.person import Person
from tests.journeys.test_accessibility import violations
from tutor.content import grading

pytestmark = pytest.mark.journey
HELD = "Saved on this device. Sends when you are online again."


@pytest.fixture
def student(sign_in):
    student = sign_in("student")
    student.start()
    yield student
    assert student.complaints == []


def find(student, *kinds):
    """Go on until a question of one of these kinds waits."""
    for _ in range(25):
        if student.item().kind in kinds:
            return
        student.answer(right=True)
        over = student.page.get_by_role("link", name="See how it went").count()
        student.press("See how it went" if over else "Next question")
        if over:
            student.start()
    raise AssertionError(kinds)


def rows(student, presentation) -> int:
    [(count,)] = student.query(
        "SELECT count(*) FROM responses_response WHERE presentation = ?",
        student.id_for_query(presentation),
    )
    return count


def go_on(student) -> None:
    over = student.page.get_by_role("link", name="See how it went").count()
    student.press("See how it went" if over else "Next question")


class TestInput:
    def test_number_keys_choose_and_enter_sends_without_a_load(self, student):
        find(student, "single_choice")
        item, page = student.item(), student.page
        page.evaluate("window.wasHere = true")
        number = next(n for n, choice in enumerate(item.choices, 1) if choice.is_correct)

        page.keyboard.press(str(number))
        page.keyboard.press("Enter")
        page.locator(".verdict.right").wait_for()

        assert page.evaluate("document.activeElement.innerText") in (
            "Next question",
            "See how it went",
        )
        assert page.evaluate("window.wasHere")
        go_on(student)

    def test_shows_how_an_answer_reads_and_keeps_what_was_typed(self, student):
        find(student, "number")
        field = student.page.get_by_label("Your answer")

        field.press_sequentially("1/2")
        student.page.locator("#preview mfrac").wait_for()

        assert field.input_value() == "1/2"
        field.fill("")
        student.page.locator("#preview mfrac").wait_for(state="detached")

    def test_on_a_phone_has_a_keypad_the_signs_it_lacks_and_room(self, school, browser):
        context = browser.new_context(
            viewport={"width": 390, "height": 780}, has_touch=True, is_mobile=True
        )
        try:
            student = Person(page=context.new_page(), site=school, username="other")
            student.sign_in()
            student.start()
            find(student, "number")
            field = student.page.get_by_label("Your answer")
            assert field.get_attribute("inputmode") == "decimal"

            field.fill("3")
            student.page.get_by_role("button", name="/", exact=True).tap()

            assert field.input_value() == "3/"
            assert student.overflow_px == 0
            small = student.page.locator("main button:visible, main summary:visible").evaluate_all(
                "all => all.map(one => one.getBoundingClientRect())"
                ".filter(box => box.height < 24 || box.width < 24).length"
            )
            assert small == 0
            assert student.complaints == []
        finally:
            context.close()


class TestBadNetwork:
    def test_an_answer_waits_on_the_device_and_is_sent_once(self, student):
        shown, page = student.presentation(), student.page
        student.fill_in(grading.right_answer(student.item()))
        page.context.set_offline(True)

        page.get_by_role("button", name="Check").dblclick()
        page.get_by_text(HELD).wait_for()
        assert rows(student, shown) == 0
        for scheme in ("dark", "light"):
            page.emulate_media(color_scheme=scheme)
            assert violations(student) == []
        page.context.set_offline(False)

        page.locator(".verdict.right").wait_for()
        assert rows(student, shown) == 1
        assert page.evaluate("Object.keys(localStorage).length") == 0
        go_on(student)

    def test_an_answer_outlives_a_captive_portal(self, student):
        shown, page = student.presentation(), student.page
        student.fill_in(grading.right_answer(student.item()))
        page.route(
            "**/answer/",
            lambda route: route.fulfill(
                status=200, content_type="text/html", body="<p>Welcome</p>"
            ),
        )
        page.get_by_role("button", name="Check").click()
        page.get_by_text(HELD).wait_for()
        beside = page.locator("#hints, .ways, .foot").evaluate_all("all => all.map(o => o.inert)")
        page.unroute("**/answer/")

        page.evaluate("dispatchEvent(new Event('online'))")
        page.locator(".verdict.right").wait_for()

        assert beside == [True, True, True]
        assert rows(student, shown) == 1
        go_on(student)

    def test_a_tab_that_waits_sees_what_another_one_delivered(self, student):
        shown, page = student.presentation(), student.page
        student.fill_in(grading.right_answer(student.item()))
        page.route("**/answer/", lambda route: route.abort())
        # Only the other tab is to try again.
        page.evaluate("window.setTimeout = () => 0")
        page.get_by_role("button", name="Check").click()
        page.get_by_text(HELD).wait_for()
        page.unroute("**/answer/")

        second = page.context.new_page()
        second.goto(f"{student.site.url}/learn/")
        page.locator(".verdict.right").wait_for()

        assert rows(student, shown) == 1
        go_on(student)

    def test_an_answer_outlives_the_tab(self, student):
        shown, page = student.presentation(), student.page
        student.fill_in(grading.right_answer(student.item()))
        page.context.set_offline(True)
        page.get_by_role("button", name="Check").click()
        page.get_by_text(HELD).wait_for()
        later = page.context.new_page()
        page.close()
        page.context.set_offline(False)

        # Not wait_for_function: the page's policy forbids what it polls with.
        with later.expect_response("**/answer/") as sent:
            later.goto(f"{student.site.url}/learn/")

        assert sent.value.status == 200
        assert rows(student, shown) == 1

    def test_an_answer_whose_reply_got_lost_is_sent_again_and_stored_once(self, student):
        shown, page = student.presentation(), student.page
        student.fill_in(grading.right_answer(student.item()))
        lost = []

        def lose(route):
            if not lost:
                lost.append(route.fetch())
                route.abort()
            else:
                route.continue_()

        page.route("**/answer/", lose)
        page.get_by_role("button", name="Check").click()
        page.locator(".verdict.right").wait_for()

        assert lost[0].status == 200
        assert rows(student, shown) == 1
        go_on(student)

    def test_another_persons_answer_is_not_sent_in_ones_name(self, student, school):
        shown, page = student.presentation(), student.page
        student.fill_in(grading.right_answer(student.item()))
        page.route("**/answer/", lambda route: route.abort())
        page.get_by_role("button", name="Check").click()
        page.get_by_text(HELD).wait_for()
        page.unroute("**/answer/")
        page.context.clear_cookies()
        second = Person(page=page.context.new_page(), site=school, username="newcomer")
        second.sign_in()
        second.open("/learn/")

        assert rows(student, shown) == 0
        assert second.page.evaluate("Object.keys(localStorage).length") == 1


class TestOtherWaysOn:
    def test_keep_nobody_out_in_light_and_dark(self, sign_in):
        student = sign_in("newcomer")
        student.start()
        found, too_wide = set(), []

        def look():
            for scheme in ("dark", "light"):
                student.page.emulate_media(color_scheme=scheme)
                found.update(f"{scheme} {one}" for one in violations(student))
            too_wide.append(student.overflow_px)

        page = student.page
        for level in range(4):
            button = page.locator("#hints > form button")
            if not button.count():
                break
            with page.expect_response("**/hint/"):
                button.click()
            page.wait_for_function(
                "level => document.querySelector('#hints > form [name=level]')?.value != level",
                arg=str(level + 1),
            )
        page.get_by_text("Report a problem").click()
        look()
        page.get_by_role("button", name="Send the report").click()
        page.get_by_text("Thank you").wait_for()
        look()
        with page.expect_navigation():
            page.get_by_role("button", name="I haven’t learned this yet").click()
        page.get_by_role("heading", name="New to you").wait_for()
        look()
        with page.expect_navigation():
            page.locator("[data-next]").click()
        if page.get_by_role("link", name="Ask your teacher").count():
            student.press("Ask your teacher")
        look()
        page.get_by_label("What would you like").fill("I am lost")
        student.press("Send it to your teacher")
        look()

        assert found == set()
        assert max(too_wide) == 0
        [(text,)] = student.query("SELECT text FROM practice_teachernote")
        assert text == "I am lost"
