"""Somebody at a browser, and what the database has of them."""

import json
import re
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Page

from tests.factories import PASSWORD, wrong_answer
from tests.servers.site import Site
from tutor.content import grading
from tutor.content.rendered import RenderedItem
from tutor.content.templates import instantiate

UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Person:
    """Does with the pages what people do; complains about errors in the browser's console."""

    def __init__(self, *, page: Page, site: Site, username: str) -> None:
        self.page, self.site, self.username = page, site, username
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._listen)
        page.on("response", self._watch)

    def _listen(self, message: Any) -> None:
        # What did not load is judged by its status, below.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.complaints.append(message.text)

    def _watch(self, response: Any) -> None:
        if response.status >= 500:
            self.complaints.append(f"{response.status} {response.url}")

    def open(self, path: str) -> None:
        self.page.goto(f"{self.site.url}{path}")

    def sign_in(self) -> None:
        self.open("/sign-in/")
        self.page.get_by_label("Name").fill(self.username)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.press("Sign in")

    def press(self, name: str) -> None:
        """Press the button or follow the link of this name; wait for the next page."""
        found = self.page.get_by_role("button", name=name, exact=True).or_(
            self.page.get_by_role("link", name=name, exact=True)
        )
        with self.page.expect_navigation():
            found.first.click()

    def start(self) -> None:
        """Open the assignment, or go on with the session that is open."""
        self.open("/learn/")
        resume = self.page.get_by_role("link", name="Continue with")
        if resume.count():
            with self.page.expect_navigation():
                resume.click()
        else:
            self.press("Practise Everything")

    def fill_in(self, answer: dict[str, Any]) -> None:
        """Put an answer into the form, without sending it."""
        form = self.page.locator("form.answering:visible").first
        if "text" in answer:
            form.get_by_label("Your answer").fill(answer["text"])
        elif "right" in answer:
            form.get_by_label("Yes" if answer["right"] else "No").check()
        else:
            for choice in answer.get("choices", [answer.get("choice")]):
                form.locator(f"[value={choice}]").check()

    def answer(self, *, right: bool) -> None:
        """Answer the question that is shown."""
        item = self.item()
        self.fill_in(grading.right_answer(item) if right else wrong_answer(item))
        self.press("Check")

    def presentation(self) -> str:
        """The id of the showing that the page's form answers."""
        address = self.page.locator("form.answering").first.get_attribute("action")
        return UUID.findall(address)[0]

    def item(self) -> RenderedItem:
        """The item on the page, as the server made it."""
        [(body, seed)] = self.query(
            "SELECT v.body, d.item_seed FROM scheduling_decision d "
            "JOIN content_itemversion v ON v.id = d.item_version_id WHERE d.public_id = ?",
            self.id_for_query(self.presentation()),
        )
        return instantiate(json.loads(body) if isinstance(body, str) else body, seed=seed)

    def query(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        return self.site.place.query(sql, *parameters)

    def id_for_query(self, text: str) -> str:
        """An id as the database keeps it: SQLite has them as 32 digits."""
        return text if self.site.place.postgres_url else text.replace("-", "")

    def answers(self) -> list[tuple[Any, ...]]:
        """(presentation, attempt, is_correct, hints_seen) of every answer, oldest first."""
        return self.query(
            "SELECT presentation, attempt, is_correct, hints_seen FROM responses_response r "
            "JOIN accounts_learner l ON l.id = r.learner_id "
            "JOIN accounts_user u ON u.id = l.user_id WHERE u.username = ? ORDER BY r.id",
            self.username,
        )

    def decisions(self) -> list[tuple[Any, ...]]:
        """(public id, item version or None, reason, what it follows) of every decision."""
        return self.query(
            "SELECT d.public_id, d.item_version_id, d.reason, d.follows FROM scheduling_decision d "
            "JOIN accounts_learner l ON l.id = d.learner_id "
            "JOIN accounts_user u ON u.id = l.user_id WHERE u.username = ? ORDER BY d.id",
            self.username,
        )

    @property
    def path(self) -> str:
        return urlsplit(self.page.url).path

    @property
    def overflow_px(self) -> int:
        """How far the page is wider than the window."""
        return self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
