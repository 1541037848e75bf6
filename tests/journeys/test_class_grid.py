"""The class by concept in a browser: by pointer, by keyboard, and into a file."""

import csv
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.journey


class TestGrid:
    def test_says_in_words_what_a_field_shows_and_leads_to_it_by_keyboard(self, sign_in):
        teacher = sign_in("teacher")
        teacher.press("7b")
        page, told = teacher.page, teacher.page.locator(".told")
        field = page.locator(".grid tbody tr").first.locator("td").nth(1)
        name = page.locator(".grid tbody th").first.inner_text().strip()
        first, second = page.locator(".grid thead th[data-slug]").all_inner_texts()[:2]

        field.hover()
        expect(told).to_be_visible()
        assert told.locator("span").all_inner_texts()[:2] == [name, first.strip()]
        field.focus()
        page.keyboard.press("ArrowRight")
        expect(told).to_be_visible()
        said = told.locator("span").all_inner_texts()
        assert said[1] == second.strip()
        assert re.fullmatch(r"[a-z ]+, (no answers|\d+ answers?)", said[2])
        page.keyboard.press("ArrowDown")
        assert told.locator("span").first.inner_text() != name
        # To the far end: the table scrolls, and what is said stays with its field.
        page.keyboard.press("Control+End")
        last = page.locator(".grid tbody tr").last
        expect(told.locator("span").first).to_have_text(last.locator("th").inner_text().strip())
        page.wait_for_timeout(300)
        expect(told).to_be_visible()
        page.keyboard.press("Control+Home")
        page.wait_for_timeout(300)
        expect(told).to_be_visible()
        page.keyboard.press("Home")
        page.keyboard.press("ArrowUp")
        with page.expect_navigation():
            page.keyboard.press("Enter")

        assert page.locator("h1").inner_text() == first.strip()
        assert teacher.complaints == []

    def test_takes_its_filters_into_the_file(self, sign_in):
        teacher = sign_in("teacher")
        teacher.press("7b")
        teacher.press("Hide the names, to project this")
        page = teacher.page
        page.locator(".export summary").click()

        with page.expect_download() as download:
            page.get_by_role("link", name="Bands, CSV").click()

        written = Path(download.value.path()).read_text(encoding="utf-8-sig")
        rows = list(csv.reader(written.splitlines()))
        assert rows[0][0] == "Learner"
        assert [row[0] for row in rows[1:]] == page.locator(".grid tbody th").all_inner_texts()
