"""Every state of every page keeps nobody out, in light and dark, and fits a phone.

The pages are made by the test client and shown to the browser, so that each state costs no journey.
"""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.journeys.states import collect, with_something_new

# Where a machine is busy, making the school and its pages takes minutes.
pytestmark = [pytest.mark.journey, pytest.mark.timeout(900)]
SERIOUS = {"serious", "critical"}
# In the dark only the colours are others.
IN_THE_DARK = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def states(school, tmp_path_factory):
    return collect(school.place, tmp_path_factory.mktemp("states"))


@pytest.fixture
def page(browser):
    context = browser.new_context(reduced_motion="reduce")
    yield context.new_page()
    context.close()


def violations(page, options=None) -> list[str]:
    return [
        f"{one['id']}: {one['nodes'][0]['html'][:160]}"
        for one in Axe().run(page, options=options).response["violations"]
        if one["impact"] in SERIOUS
    ]


class TestEveryState:
    def test_keeps_nobody_out_in_light_and_dark_and_fits_a_phone(self, school, states, page):
        assert len(states.pages) > 90
        found, too_wide = [], []

        for state in with_something_new(states.pages):
            page.set_viewport_size({"width": 1000, "height": 800})
            page.emulate_media(color_scheme="light")
            state.show(page, school.url)
            page.locator("summary").evaluate_all("all => all.forEach(one => one.click())")
            found += [(state.name, one) for one in violations(page)]
            page.emulate_media(color_scheme="dark")
            found += [(f"{state.name} dark", one) for one in violations(page, IN_THE_DARK)]
            page.set_viewport_size({"width": 360, "height": 700})
            if page.evaluate(OVERFLOW) > 0:
                too_wide.append(state.name)

        assert found == []
        assert too_wide == []

    def test_fits_a_phone_in_german(self, school, states, page):
        chosen = with_something_new(states.german)
        page.set_viewport_size({"width": 360, "height": 700})
        too_wide = []

        for state in chosen:
            state.show(page, school.url)
            if page.evaluate(OVERFLOW) > 0:
                too_wide.append(state.name)

        assert any('<html lang="de"' in state.html for state in chosen)
        assert too_wide == []

    def test_is_checked_in_earnest(self, school, states, page):
        states.pages[0].show(page, school.url)
        page.evaluate("document.querySelector('h1').style.color = '#eee'")
        page.evaluate("document.querySelector('label').remove()")

        told = " ".join(violations(page))

        assert "color-contrast" in told
        assert "label" in told


class TestAward:
    def test_stays_beside_an_estimate_that_has_fallen(self, states, sign_in):
        student = sign_in(states.student, width=500)
        student.open("/learn/map/")
        rows = student.page.locator(".concepts li").all_inner_texts()

        fallen = [row for row in rows if "awarded" in row and "mastered" not in row]
        assert fallen, rows
        student.press(fallen[0].splitlines()[0].split("★")[0].strip())

        told = student.page.locator(".standing").inner_text()
        assert "for good" in told
        assert "mastered" not in told.replace("nearly there", "")


class TestPicture:
    def test_comes_and_is_enlarged_in_a_box_that_scrolls_on_a_phone(self, states, sign_in):
        student = sign_in(states.student, width=360, height=700)
        student.open(f"/learn/practise/{states.pictured}/")
        picture = student.page.locator(".stem img")
        student.page.wait_for_function("document.querySelector('.stem img').naturalWidth == 900")
        small = picture.bounding_box()["width"]

        assert (small < 360, student.overflow_px) == (True, 0)
        student.page.get_by_text("Enlarge", exact=True).click()

        box = "document.querySelector('.stem .picture')"
        assert picture.bounding_box()["width"] > 1.5 * small
        assert student.page.evaluate(f"{box}.scrollWidth > {box}.clientWidth")
        assert student.overflow_px == 0
        assert student.complaints == []


class TestStuckExit:
    def test_is_kind_and_brings_a_note_to_the_class_page(self, states, sign_in):
        student = sign_in(states.student)
        student.open(f"/learn/practise/{states.session}/")

        assert "you kept at it" in student.page.locator("h1").inner_text()
        student.page.get_by_label("What would you like").fill("The signs confuse me")
        student.press("Send it to your teacher")
        assert "with your teacher now" in student.page.locator(".thanks").inner_text()
        student.press("See how it went")
        assert student.path.endswith("/summary/")

        teacher = sign_in(states.teacher)
        teacher.page.locator("main a", has_text="7b").last.click()
        teacher.page.get_by_text("The signs confuse me").wait_for()
        assert student.complaints == teacher.complaints == []
