"""Whether the embedded default serves a class of 30 who answer at once.

    .venv/bin/python -m tests.benchmarks.class_of_30

The demo school on SQLite, served by gunicorn as `make demo` does, with its worker. 30 students
sign in; in each round all of them send their answer at the same moment, then fetch the feedback
page and the next question. Writes docs/benchmarks/class_of_30.json and its section of
docs/benchmarks.md.
"""

import concurrent.futures
import http.cookiejar
import re
import statistics
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from tests.benchmarks.product.circumstances import circumstances, write
from tests.servers.site import Places, migrated, served

STUDENTS = 30
ROUNDS = 12


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Notes when the redirect came: then the answer is stored and the next item is chosen."""

    def __init__(self, student) -> None:
        self.student = student

    def redirect_request(self, *arguments):
        self.student.redirected_at = time.perf_counter()
        return super().redirect_request(*arguments)


class Student:
    """One browser: cookies, the page it is on."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.redirected_at = 0.0
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self.opener = urllib.request.build_opener(jar, _Redirects(self))
        self.page = ""

    def get(self, path: str) -> str:
        with self.opener.open(self.url + path, timeout=60) as answer:
            self.page, self.at = answer.read().decode(), answer.url
        return self.page

    def post(self, path: str, **fields: str) -> str:
        fields["csrfmiddlewaretoken"] = _field(self.page, "csrfmiddlewaretoken")
        data = urllib.parse.urlencode(fields).encode()
        request = urllib.request.Request(self.url + path, data, {"Referer": self.url})
        with self.opener.open(request, timeout=60) as answer:
            self.page, self.at = answer.read().decode(), answer.url
        return self.page

    def sign_in(self, username: str, password: str) -> None:
        self.get("/sign-in/")
        self.post("/sign-in/", username=username, password=password, next="")

    def start(self) -> None:
        self.get("/learn/")
        self.post("/learn/start/", course=_field(self.page, "course"))

    def answer(self) -> tuple[float, float]:
        """Send an answer; return the seconds until it is stored, and until the page is here."""
        form = re.search(r'action="(/learn/items/[^"]+/answer/)"', self.page)
        fields = {"client_key": _field(self.page, "client_key"), "kind": _field(self.page, "kind")}
        choice = re.search(r'name="choice" value="([^"]+)"', self.page)
        fields |= {"choice": choice[1]} if choice else {"text": "2"}
        began = time.perf_counter()
        self.post(form[1], **fields)
        return self.redirected_at - began, time.perf_counter() - began

    def go_on(self) -> None:
        """Open the next question; start again where the session is over."""
        following = re.search(r'href="(/learn/practise/[^"]+/)"[^>]*data-next', self.page)
        if following and "summary" not in following[1]:
            self.get(following[1])
        if not re.search(r"/answer/\"", self.page):
            self.start()


def _field(page: str, name: str) -> str:
    found = re.search(rf'name="{name}"[^>]*value="([^"]*)"', page)
    return found[1] if found else ""


def main() -> None:
    result = circumstances()
    with tempfile.TemporaryDirectory() as folder:
        place = Places(folder=Path(folder), postgres_url=None).make(*migrated(["seed_demo"]))
        with served(place) as site:
            result |= measure(site)
    write("class_of_30", result=result, section=section(result))
    print(section(result))


def measure(site) -> dict[str, object]:
    students = sign_everybody_in(site)
    count = "SELECT COUNT(*) FROM responses_response WHERE source = 'practice'"
    before = site.place.query(count)[0][0]
    stored_s: list[float] = []
    shown_s: list[float] = []
    unreadable = failed = 0
    with concurrent.futures.ThreadPoolExecutor(STUDENTS) as pool:
        for _ in range(ROUNDS):
            gate = threading.Barrier(STUDENTS)
            outcomes = list(pool.map(lambda student: _answer_at(gate, student), students))  # noqa: B023
            for (until_stored, until_shown), what in outcomes:
                stored_s += [until_stored] if what == "stored" else []
                shown_s += [until_shown] if what == "stored" else []
                unreadable += what == "unreadable"
                failed += what == "failed"
            list(pool.map(Student.go_on, students))
    stored = site.place.query(count)[0][0] - before
    return {
        "students": STUDENTS,
        "rounds": ROUNDS,
        "sent": STUDENTS * ROUNDS,
        "unreadable": unreadable,
        "failed": failed,
        "acknowledged": len(stored_s),
        "stored": stored,
        "locked": site.output.count("database is locked"),
        "stored_ms": _spread(stored_s),
        "shown_ms": _spread(shown_s),
    }


def _spread(seconds: list[float]) -> dict[str, float]:
    return {
        "median": round(1000 * statistics.median(seconds), 1),
        "p95": round(1000 * statistics.quantiles(seconds, n=20)[-1], 1),
        "max": round(1000 * max(seconds), 1),
    }


def _answer_at(gate: threading.Barrier, student: Student) -> tuple[tuple[float, float], str]:
    gate.wait()
    try:
        seconds = student.answer()
    except urllib.error.HTTPError as error:
        if error.code == 422:
            student.page = error.read().decode()
            return (0.0, 0.0), "unreadable"
        return (0.0, 0.0), "failed"
    return seconds, "stored" if "/answered/" in student.at else "failed"


# The class of the demo cannot sign in; here it gets passwords, all the same one.
PASSWORD = "a-password-for-measuring"
GIVE_PASSWORDS = f"""
from django.contrib.auth.hashers import make_password
from tutor.accounts.models import User
User.objects.filter(role="student").update(password=make_password({PASSWORD!r}))
"""


def sign_everybody_in(site) -> list[Student]:
    site.place.manage("shell", "--no-imports", "-c", GIVE_PASSWORDS)
    names = site.place.query(
        "SELECT username FROM accounts_user WHERE role = 'student' AND username <> 'newcomer' "
        "ORDER BY id LIMIT 30"
    )
    students = []
    for (username,) in names:
        student = Student(site.url)
        student.sign_in(username, PASSWORD)
        student.start()
        students.append(student)
    return students


def _cells(spread: dict[str, float]) -> str:
    return " | ".join(str(value) for value in spread.values())


def section(result: dict) -> str:
    stored, shown = result["stored_ms"], result["shown_ms"]
    heads = {
        "sent": "sent",
        "unreadable": "unreadable, asked again",
        "acknowledged": "acknowledged",
        "stored": "rows in the log",
        "failed": "failed",
        "locked": "database is locked",
    }
    return f"""## A class of 30 at once

`python -m tests.benchmarks.class_of_30`: the demo school on SQLite, gunicorn as in `make demo`
(2 processes of 8 threads); {result["students"]} students send their answers at the same moment,
{result["rounds"]} times. The clients run on the same cores.
{result["date"]}, {result["hardware"]}, load {result["load_before"]} before, commit
{result["commit"]}.

| {" | ".join(heads.values())} |
|{"---|" * len(heads)}
| {" | ".join(str(result[name]) for name in heads)} |

| until | median ms | p95 ms | longest ms |
|---|---|---|---|
| the answer is stored, the next item chosen (the request itself) | {_cells(stored)} |
| the feedback page is there (a second request) | {_cells(shown)} |

Target: p95 under 300 ms.
"""


if __name__ == "__main__":
    main()
