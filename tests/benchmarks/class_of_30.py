"""Whether the embedded default serves a class of 30 who answer at once.

    .venv/bin/python -m tests.benchmarks.class_of_30

The demo school on SQLite, served by gunicorn as `make demo` does, with its worker. 30 newcomers
sign in; in each round all of them send their answer at the same moment, then fetch the feedback
page and the next question. Writes docs/benchmarks/class_of_30.json and its section of
docs/benchmarks.md.
"""

import concurrent.futures
import os
import random
import re
import statistics
import tempfile
import threading
import time
from pathlib import Path

import django

# The students know the right answers by the tutor's own grading.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tutor.config.settings")
django.setup()

from tests.benchmarks.product.circumstances import circumstances, write  # noqa: E402
from tests.load import crowd  # noqa: E402
from tests.load.browser import Browser  # noqa: E402
from tests.load.students import PRESENTATION, RIGHT, Key  # noqa: E402
from tests.servers.site import Places, migrated, served  # noqa: E402

STUDENTS = 30
ROUNDS = 12
# Rounds before: each process reads the course and compiles its templates once.
WARM_UP = 2


class Student(Browser):
    """A browser with somebody who answers, right in seven of ten."""

    def __init__(self, url: str, *, key: Key, seed: int) -> None:
        super().__init__(url)
        self.key, self.draw = key, random.Random(seed)

    def start(self) -> None:
        """Begin the first of today's tasks that has a question."""
        self.get("/learn/")
        for form in self.forms("/learn/start/"):
            self.post(form.action, **form.hidden)
            if self.forms("/answer/"):
                return

    def prepare(self) -> tuple[str, str]:
        """Return where the page's answer goes, and the form; the connection is open then."""
        form = self.forms("/answer/")[0]
        presentation = PRESENTATION.search(form.action)[1]
        fields = form.hidden | self.key(presentation, self.draw.random() < RIGHT)
        self.connection.close()
        self.connection.connect()
        return form.action, self.body(fields)

    def answer(self, target: str, form: str) -> tuple[tuple[float, float], str]:
        """Send an answer; return the seconds until it is stored and until the page is here."""
        began = time.perf_counter()
        answer = self.ask("POST", target, form)
        stored_s = time.perf_counter() - began
        if answer.status == 422:
            self.page = self.raw.decode()
            return (0.0, 0.0), "unreadable"
        if answer.status != 302 or "/answered/" not in answer.headers["Location"]:
            return (0.0, 0.0), "failed"
        self.at = answer.headers["Location"]
        # On the same connection, as browsers do.
        self.ask("GET", self.at)
        shown_s = time.perf_counter() - began
        self.page = self.raw.decode()
        return (stored_s, shown_s), "stored"

    def go_on(self) -> None:
        """Open the next question; start again where the session is over."""
        following = re.search(r'href="(/learn/practise/[^"]+/)"[^>]*data-next', self.page)
        if following and "summary" not in following[1]:
            self.get(following[1])
        if not re.search(r"/answer/\"", self.page):
            self.start()


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
    unreadable = failed = acknowledged = 0
    spent = Spent(site.pid)
    with concurrent.futures.ThreadPoolExecutor(STUDENTS) as pool:
        for number in range(ROUNDS + WARM_UP):
            gate = threading.Barrier(STUDENTS, action=spent.begin)
            ready = list(pool.map(Student.prepare, students))
            answers = pool.map(_answer_at, [gate] * STUDENTS, students, ready)
            outcomes = list(answers)
            if number >= WARM_UP:
                spent.end()
            for (until_stored, until_shown), what in outcomes:
                acknowledged += what == "stored"
                if what == "stored" and number >= WARM_UP:
                    stored_s.append(until_stored)
                    shown_s.append(until_shown)
                unreadable += what == "unreadable"
                failed += what == "failed"
            list(pool.map(Student.go_on, students))
    stored = site.place.query(count)[0][0] - before
    return {
        "students": STUDENTS,
        "rounds": ROUNDS,
        "sent": STUDENTS * (ROUNDS + WARM_UP),
        "unreadable": unreadable,
        "failed": failed,
        "acknowledged": acknowledged,
        "stored": stored,
        "locked": site.output.count("database is locked"),
        "cpu_ms_per_answer": spent.per_answer(len(stored_s)),
        "stored_ms": _spread(stored_s),
        "shown_ms": _spread(shown_s),
    }


class Spent:
    """What the rounds took of the cores: the server's processes, and this one with its clients."""

    def __init__(self, server: int) -> None:
        self._server = server
        self._before = {}
        self._sums = {"server": 0.0, "clients": 0.0, "wall": 0.0}

    def begin(self) -> None:
        self._before = self._now()

    def end(self) -> None:
        for name, seconds in self._now().items():
            self._sums[name] += seconds - self._before[name]

    def per_answer(self, answers: int) -> dict[str, float]:
        """Return milliseconds for an answer with its feedback page; `wall` is one core's share."""
        return {name: round(1000 * own / answers, 2) for name, own in self._sums.items()}

    def _now(self) -> dict[str, float]:
        return {
            "server": sum(map(_cpu_s, [self._server, *_children(self._server)])),
            "clients": time.process_time(),
            "wall": time.perf_counter(),
        }


def _children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _cpu_s(pid: int) -> float:
    """Return the processor seconds of a process so far."""
    _, _, fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")
    user, system = fields.split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _spread(seconds: list[float]) -> dict[str, float]:
    return {
        "median": round(1000 * statistics.median(seconds), 1),
        "p95": round(1000 * statistics.quantiles(seconds, n=20)[-1], 1),
        "max": round(1000 * max(seconds), 1),
    }


def _answer_at(
    gate: threading.Barrier, student: Student, ready: tuple[str, str]
) -> tuple[tuple[float, float], str]:
    gate.wait()
    return student.answer(*ready)


def sign_everybody_in(site) -> list[Student]:
    students = []
    for number, username in enumerate(crowd.make_students(site, STUDENTS)):
        student = Student(site.url, key=crowd.key_of(site), seed=number)
        student.sign_in(username, crowd.PASSWORD)
        student.start()
        students.append(student)
    return students


def _cells(spread: dict[str, float]) -> str:
    return " | ".join(str(value) for value in spread.values())


def section(result: dict) -> str:
    stored, shown = result["stored_ms"], result["shown_ms"]
    cpu = result["cpu_ms_per_answer"]
    share = cpu["clients"] / (cpu["server"] + cpu["clients"])
    busy = (cpu["server"] + cpu["clients"]) / (os.cpu_count() * cpu["wall"])
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
{result["rounds"]} times, after two rounds that are not timed. The clients run on the same cores.
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

An answer with its feedback page takes {cpu["server"]} ms of processor time in the server and
{cpu["clients"]} ms in its client, {100 * share:.0f} % of the two together. During the rounds they
used {100 * busy:.0f} % of the cores; the rest was idle, or other work on the machine.
"""


if __name__ == "__main__":
    main()
