"""What one of the crowd does: answers, right and wrong, and everything else that people do."""

import http.client
import random
import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from tests.load.browser import Browser, Form

ANSWER, RETRY = "/answer/", "/retry/"
PRESENTATION = re.compile(r"/items/([0-9a-f-]{36})/")
# Somebody looks at these in between.
ASIDE = ("/learn/", "/learn/map/", "/learn/progress/", "/learn/reviews/", "/learn/how/")
# How likely each is at a question, before it is answered.
HINT, PUT_OFF, PAUSE, REPORT, LOOK_ASIDE = 0.15, 0.04, 0.03, 0.02, 0.08
# And when it is answered: the button pressed twice at once, the form sent again by going back.
TWICE, AGAIN, UNREADABLE, RIGHT = 0.06, 0.04, 0.02, 0.7


@dataclass
class Account:
    """What the crowd was told: which answers are stored, what failed, how long requests took."""

    stored: set[str] = field(default_factory=set)
    errors: list[str] = field(default_factory=list)
    deeds: dict[str, int] = field(default_factory=dict)
    answered_ms: list[float] = field(default_factory=list)
    opened_ms: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, deed: str) -> None:
        with self.lock:
            self.deeds[deed] = self.deeds.get(deed, 0) + 1

    def acknowledge(self, key: str, milliseconds: float) -> None:
        with self.lock:
            self.stored.add(key.replace("-", ""))
            self.answered_ms.append(milliseconds)

    def fail(self, what: str) -> None:
        with self.lock:
            self.errors.append(what)


# The right answer's and a wrong one's fields to a presentation.
Key = Callable[[str, bool], dict[str, Any]]


class Student(Browser):
    """Signs in and practises until the time is up."""

    def __init__(self, url: str, *, key: Key, account: Account, seed: int, think_s: float) -> None:
        super().__init__(url)
        self.key, self.account, self.think_s = key, account, think_s
        self.draw = random.Random(seed)

    def practise(self, until: float) -> None:
        """Go on until then (`time.monotonic`); what goes wrong is noted, and one goes on."""
        # Not all at the same moment.
        time.sleep(self.draw.random() * self.think_s)
        while time.monotonic() < until:
            try:
                self.do_something()
            except (OSError, http.client.HTTPException, LookupError, ValueError) as error:
                self.account.fail(f"{type(error).__name__}: {error} at {self.at}")
                self.open("/learn/")
            time.sleep(self.draw.expovariate(1 / self.think_s))
        self.connection.close()

    def do_something(self) -> None:
        """One step from wherever one is."""
        questions = self.forms(ANSWER)
        if not questions:
            self.go_on()
        elif not self.wander():
            self.answer(questions[0])

    def open(self, path: str) -> None:
        began = time.perf_counter()
        self.check(self.get(path), "GET", path)
        self.account.opened_ms.append(1000 * (time.perf_counter() - began))

    def send(self, form: Form, **fields: Any) -> int:
        status = self.post(form.action, **form.hidden | fields)
        self.check(status, "POST", form.action)
        return status

    def check(self, status: int, method: str, path: str) -> None:
        # 422 asks for another answer: that is no failure.
        if status not in {200, 422}:
            self.account.fail(f"{status} {method} {path}")

    def go_on(self) -> None:
        """To the next question; where the session is over, from today's page again."""
        following = re.search(r'href="(/learn/practise/[^"]+/)"[^>]*data-next', self.page)
        waiting = re.search(r'href="(/learn/practise/[^"/]+/)"', self.page)
        retries = self.forms(RETRY)
        if retries and self.draw.random() < 0.3:
            self.answer(retries[0])
        elif following or waiting:
            self.open((following or waiting)[1])
        elif starts := self.tasks():
            self.account.note("session started")
            self.send(self.draw.choice(starts))
        else:
            self.open("/learn/")

    def tasks(self) -> list[Form]:
        """Return what today's page offers to begin; a topic would have to be picked first."""
        found = self.forms("/learn/start/")
        return [form for form in found if {"assignment", "course"} & form.hidden.keys()]

    def wander(self) -> bool:
        """Do something else than answering, now and then; tell whether one did."""
        draw = self.draw.random()
        bounds = {
            "/hint/": HINT,
            self.draw.choice(("/skip/", "/unlearnt/")): PUT_OFF,
            "/pause/": PAUSE,
            "/report/": REPORT,
        }
        for ending, share in bounds.items():
            draw -= share
            forms = self.forms(ending)
            if draw < 0:
                if not forms:
                    return False
                self.account.note(ending.strip("/"))
                self.send(forms[0], **({"kind": "other", "text": "?"} if "port" in ending else {}))
                return True
        if draw < LOOK_ASIDE:
            self.account.note("looked aside")
            self.open(self.draw.choice(ASIDE))
            return True
        return False

    def answer(self, form: Form) -> None:
        """Answer as people do: mostly once and readable."""
        draw = self.draw.random()
        presentation = PRESENTATION.search(form.action)[1]
        if draw < UNREADABLE and not form.choices:
            self.account.note("unreadable")
            began = time.perf_counter()
            # A question for a word takes it all the same: as a wrong answer.
            self.look(self.send(form, text="¿¿¿"), form, began)
            return
        fields = self.key(presentation, self.draw.random() < RIGHT)
        began = time.perf_counter()
        if draw > 1 - TWICE:
            self.account.note("pressed twice")
            status = self.press_twice(form, fields)
        else:
            status = self.send(form, **fields)
        self.look(status, form, began)
        if draw > 1 - TWICE - AGAIN:
            self.account.note("sent again")
            self.send(form, **fields)

    def look(self, status: int, form: Form, began: float) -> None:
        """Take note that the answer is stored, if that is what the page says."""
        milliseconds = 1000 * (time.perf_counter() - began)
        if status == 200 and self.at.endswith("/answered/"):
            self.account.acknowledge(form.hidden["client_key"], milliseconds)

    def press_twice(self, form: Form, fields: dict[str, Any]) -> int:
        """Send the same form on two connections at the same moment."""
        twin = Browser(f"http://{self.connection.host}:{self.connection.port}")
        twin.cookies, twin.page = dict(self.cookies), self.page
        with ThreadPoolExecutor(1) as other:
            second = other.submit(twin.post, form.action, **form.hidden | fields)
            status = self.send(form, **fields)
            self.check(second.result(), "POST", form.action)
        twin.connection.close()
        return status
