"""Every page with a machine's checks, by keyboard alone, on a phone and enlarged."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.journeys.person import Person
from tutor.content import grading

pytestmark = pytest.mark.journey

SERIOUS = {"serious", "critical"}
PHONE = {"width": 375, "height": 740}
TOPIC = "tbody th a[href*='/topics/']"


def violations(person, *rules) -> list[str]:
    """What axe finds on the page that keeps somebody out; by all its rules or by these."""
    options = {"resultTypes": ["violations"]}
    if rules:
        options["runOnly"] = {"type": "rule", "values": list(rules)}
    found = Axe().run(person.page, options=options).response["violations"]
    return [
        f"{person.path} {one['id']}: {one['nodes'][0]['html'][:120]}"
        for one in found
        if one["impact"] in SERIOUS
    ]


def walk(sign_in, stranger, username, size=None):
    """Visit every page, the student's as `username`; yield who stands before it each time."""
    size = size or {}
    if size:
        stranger.page.set_viewport_size(size)
    for path in ("/sign-in/", "/nothing/"):
        stranger.open(path)
        yield stranger
    student = sign_in(username, **size)
    name = student.page.locator(".who").text_content().strip()
    yield from walk_as_student(student)
    yield from walk_as_staff(sign_in, size, name)


def walk_as_student(student):
    student.open("/learn/")
    yield student
    yield from walk_around(student)
    student.start()
    kinds = set()
    for _ in range(6):
        kind = student.item().kind
        if kind not in kinds:
            kinds.add(kind)
            student.page.get_by_role("button", name="Show a hint").click()
            student.page.get_by_text("Hint 1", exact=True).wait_for()
            yield student
            if kind != "multiple_choice":
                student.press("Check")  # nothing was filled in: not readable
                yield student
        student.answer(right=len(kinds) % 2 == 0)
        student.page.locator("summary").evaluate_all("all => all.forEach(one => one.click())")
        yield student
        student.press("Next question")
    student.press("Stop for now")
    yield student
    yield from walk_around(student)
    assert len(kinds) >= 2


def walk_around(student):
    """The pages beside practising."""
    student.open("/learn/map/")
    for switch in ("List", "Map"):
        student.page.locator("label", has_text=switch).click()
        yield student
    for page in ("progress", "reviews", "how"):
        student.open(f"/learn/{page}/")
        student.page.locator("summary").evaluate_all("all => all.forEach(one => one.click())")
        yield student
    student.open("/learn/progress/")
    topic = student.page.locator(".lines th a")
    if topic.count():
        with student.page.expect_navigation():
            topic.first.click()
        yield student


def open_all(person):
    """Open or close everything that folds."""
    person.page.locator("summary").evaluate_all("all => all.forEach(one => one.click())")


def follow(person, selector):
    with person.page.expect_navigation():
        person.page.locator(selector).first.click()


def walk_as_staff(sign_in, size, name):
    teacher = sign_in("teacher", **size)
    yield teacher
    teacher.press("7b")
    yield teacher
    teacher.press("Hide the names, to project this")
    yield teacher
    teacher.press("Show the names")
    teacher.press("Activity")
    open_all(teacher)
    yield teacher
    follow(teacher, TOPIC)
    open_all(teacher)
    yield teacher
    follow(teacher, "a[href*='/questions/']")
    open_all(teacher)
    yield teacher
    teacher.press("7b")
    teacher.press("How questions are chosen")
    open_all(teacher)
    yield teacher
    teacher.press("Stop choosing")
    yield teacher
    teacher.press("Switch choosing on again")
    teacher.press("7b")
    teacher.press(name)
    open_all(teacher)
    yield teacher
    follow(teacher, TOPIC)
    yield teacher
    teacher.press(name)
    with teacher.page.expect_navigation():
        teacher.page.locator("td a").nth(1).click()
    teacher.page.locator("details:not([open]) > summary").first.click()
    yield teacher
    yield sign_in("admin", **size)


class TestEveryPage:
    def test_keeps_nobody_out_and_fits_a_wide_window(self, sign_in, stranger):
        found, too_wide = set(), set()
        for person in walk(sign_in, stranger, "student"):
            found |= set(violations(person))
            if person.overflow_px > 0:
                too_wide.add(person.path)
            assert person.page.locator("h1").count() == 1, person.path
            assert person.complaints == []

        assert found == set()
        assert too_wide == set()

    def test_fits_a_phone(self, sign_in, stranger):
        too_wide = {
            (person.path, person.overflow_px)
            for person in walk(sign_in, stranger, "other", PHONE)
            if person.overflow_px > 0
        }

        assert too_wide == set()

    def test_fits_a_small_screen_enlarged_to_two_hundred_percent(self, sign_in):
        # 1280 px at 200 % leave 640 px, and at 400 % 320 px (WCAG 1.4.10).
        student = sign_in("newcomer", width=320, height=400)
        student.open("/learn/")
        assert student.overflow_px == 0
        student.start()
        for right in (True, False, True, False):
            assert student.overflow_px == 0
            student.answer(right=right)
            assert student.overflow_px == 0
            student.press("Next question")


class TestKeyboard:
    def test_is_enough_for_a_question_and_the_next(self, sign_in):
        student = sign_in("newcomer")
        student.start()
        for _ in range(3):
            answer_by_keyboard(student)
            assert student.page.locator(".verdict").count() == 1
            assert focused(student) in ("Next question", "See how it went")
            with student.page.expect_navigation():
                student.page.keyboard.press("Enter")

    def test_reaches_the_content_the_map_and_the_way_out(self, sign_in):
        student = sign_in("newcomer")
        student.open("/learn/")
        reached = []
        for _ in range(14):
            student.page.keyboard.press("Tab")
            reached.append(focused(student))

        assert reached[0] == "Skip to the content"
        assert "Sign out" in reached
        assert any(name.startswith(("Practise Everything", "Continue")) for name in reached)

        student.open("/learn/map/")
        for _ in range(14):
            student.page.keyboard.press("Tab")
            reached.append(focused(student))
        assert any(name.startswith("Map of topics") for name in reached)

    def test_shows_where_it_is(self, sign_in):
        student = sign_in("newcomer")
        student.open("/learn/")
        for _ in range(5):
            student.page.keyboard.press("Tab")
            width = student.page.evaluate(
                "parseFloat(getComputedStyle(document.activeElement).outlineWidth)"
            )
            assert width >= 2, focused(student)


class TestWithoutScripts:
    def test_a_question_can_be_answered_with_a_hint(self, school, browser):
        context = browser.new_context(java_script_enabled=False)
        try:
            student = Person(page=context.new_page(), site=school, username="other")
            student.sign_in()
            student.start()
            student.press("Show a hint (2 left)")
            assert student.page.get_by_text("Hint 1", exact=True).is_visible()
            student.answer(right=True)
            assert student.page.locator(".verdict").is_visible()
        finally:
            context.close()


def answer_by_keyboard(student) -> None:
    """Answer with keys only; the first field has the focus already."""
    item, keyboard = student.item(), student.page.keyboard
    if item.choices:
        for number, choice in enumerate(item.choices, start=1):
            if choice.is_correct:
                keyboard.press(str(number))
    elif item.kind == "self_marked":
        keyboard.press("1")
    else:
        keyboard.type(grading.right_answer(item)["text"])
    with student.page.expect_navigation():
        keyboard.press("Enter")


def focused(person) -> str:
    """The name of what has the focus."""
    return (
        person.page.evaluate(
            "(one => one.getAttribute('aria-label') || one.innerText || one.name || one.tagName)"
            "(document.activeElement)"
        )
        .strip()
        .replace("\n", " ")
    )
