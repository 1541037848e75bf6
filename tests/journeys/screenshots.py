"""Pictures of every student page: `python -m tests.journeys.screenshots --out DIR`.

Serves an installation with a demo school and takes each page on a desktop and on a phone, light and
dark. A page more is a line more in PAGES. Then every state of every page, made by the test client
in the same school (`state-…`), and the same in German (`german-…`). `--var DIR` keeps the
installation (the demo school takes a minute or more), and uses the one that is there.
"""

import argparse
import contextlib
import io
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tutor.config.settings")

from playwright.sync_api import Browser, Page

from tests.journeys.states import State, collect
from tests.servers.browser import chromium
from tests.servers.site import Place, served

SIZES = {"desktop": (1280, 860), "phone": (390, 844)}
SCHEMES = ("light", "dark")
COURSE = "school-algebra"
Act = Callable[["Visit"], None]


@dataclass
class Visit:
    """A page of the browser, signed in as somebody."""

    page: Page
    url: str

    def open(self, path: str) -> None:
        """Go to an address of the site."""
        self.page.goto(f"{self.url}{path}")

    def press(self, selector: str) -> None:
        """Click and wait for the page that follows."""
        with self.page.expect_navigation():
            self.page.locator(selector).first.click()


def at(path: str) -> Act:
    """A page that is simply opened."""
    return lambda visit: visit.open(path)


def show_list(visit: Visit) -> None:
    """The map as a list."""
    visit.open("/learn/map/")
    visit.page.locator("label:has([data-view=narrow])").first.click()


def open_concept(visit: Visit) -> None:
    """The first topic with answers."""
    visit.open("/learn/progress/")
    visit.press(".lines th[scope=row] a")


def practise(visit: Visit) -> None:
    """A question: the open one, or the first of a new session."""
    visit.open("/learn/")
    visit.press("main .primary")


def answer(visit: Visit) -> None:
    """What comes of an answer, right or wrong as it happens."""
    practise(visit)
    form = visit.page.locator(".item form.answering").first
    options = form.locator("input[type=radio]:visible, input[type=checkbox]:visible")
    field = form.locator("input.answer:visible")
    if options.count():
        options.first.check()
    elif field.count():
        field.fill("1")
    else:
        return  # nothing fits just now: the page that says so
    form.locator(".primary").click()
    visit.page.locator(".verdict, .problem").first.wait_for()


def type_an_answer(visit: Visit) -> None:
    """How an answer reads while it is typed."""
    practise(visit)
    field = visit.page.locator(".item > form input.answer:visible")
    if field.count():
        field.press_sequentially("1/2")
        visit.page.locator("#preview > *").first.wait_for()


def lose_the_network(visit: Visit) -> None:
    """An answer that waits on the device."""
    practise(visit)
    form = visit.page.locator(".item > form.answering")
    visit.page.route("**/answer/", lambda route: route.abort())
    form.locator("input:visible").first.evaluate("field => field.type == 'text' || field.click()")
    form.locator(".primary").click()
    visit.page.locator(".sending.waiting").wait_for()


def see_summary(visit: Visit) -> None:
    """The end of a session of some answers."""
    for _ in range(3):
        answer(visit)
    practise(visit)
    stop = visit.page.locator("form[action$='/finish/'] button")
    if stop.count():  # else the questions have come to an end by themselves
        visit.press("form[action$='/finish/'] button")


# Name, account, what leads there. In this order: a session is begun before it is gone on with.
PAGES: tuple[tuple[str, str, Act], ...] = (
    ("sign-in", "", at("/sign-in/")),
    ("nothing-there", "", at("/nothing/")),
    ("today", "student", at("/learn/")),
    ("today-new", "newcomer", at("/learn/")),
    ("map", "student", at("/learn/map/")),
    ("map-list", "student", show_list),
    ("map-new", "newcomer", at("/learn/map/")),
    ("progress", "student", at("/learn/progress/")),
    ("progress-new", "newcomer", at("/learn/progress/")),
    ("concept", "student", open_concept),
    ("reviews", "student", at("/learn/reviews/")),
    ("reviews-new", "newcomer", at("/learn/reviews/")),
    ("how", "student", at("/learn/how/")),
    ("how-new", "newcomer", at("/learn/how/")),
    ("question", "student", practise),
    ("today-resume", "student", at("/learn/")),
    ("preview", "student", type_an_answer),
    ("no-network", "student", lose_the_network),
    ("answered", "newcomer", answer),
    ("summary", "newcomer", see_summary),
)
# Taken when all others are: after them nobody is new any more.
LAST = ("answered", "no-network", "summary")


def take(browser: Browser, url: str, passwords: dict[str, str], out: Path, wanted: str) -> int:
    """Take the pictures; return how many."""
    taken = 0
    for is_last, (size, (width, height)), scheme in product((False, True), SIZES.items(), SCHEMES):
        pages = [page for page in PAGES if (page[0] in LAST) == is_last]
        with _people(browser, url, passwords, width, height, scheme) as person:
            for name, account, act in pages:
                if re.search(wanted, name):
                    visit = person(account)
                    act(visit)
                    visit.page.screenshot(path=out / f"{name}-{size}-{scheme}.png", full_page=True)
                    taken += 1
    return taken


def take_states(
    browser: Browser, url: str, states: Sequence[State], out: Path, wanted: str, prefix: str
) -> int:
    """Take the states of the pages; return how many pictures."""
    chosen = [state for state in states if re.search(wanted, f"{prefix}{state.name}")]
    for (size, (width, height)), scheme in product(SIZES.items(), SCHEMES):
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,  # type: ignore[arg-type]
            reduced_motion="reduce",
        )
        page = context.new_page()
        for state in chosen:
            state.show(page, url)
            path = out / f"{prefix}{state.name}-{size}-{scheme}.png"
            page.screenshot(path=path, full_page=True)
        context.close()
    return len(chosen) * len(SIZES) * len(SCHEMES)


@contextlib.contextmanager
def _people(
    browser: Browser, url: str, passwords: dict[str, str], width: int, height: int, scheme: str
) -> Iterator[Callable[[str], Visit]]:
    """Give each account a browser of its own, signed in once."""
    visits: dict[str, Visit] = {}

    def person(account: str) -> Visit:
        if account not in visits:
            context = browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme=scheme,  # type: ignore[arg-type]
                reduced_motion="reduce",
            )
            context.set_default_timeout(15_000)
            visits[account] = Visit(context.new_page(), url)
            if account:
                _sign_in(visits[account], account, passwords[account])
        return visits[account]

    yield person
    for visit in visits.values():
        visit.page.context.close()


def _sign_in(visit: Visit, account: str, password: str) -> None:
    visit.open("/sign-in/")
    visit.page.fill("#id_username", account)
    visit.page.fill("#id_password", password)
    visit.press("main button")


def prepare(place: Place, learners: int) -> dict[str, str]:
    """Make sure that the demo school stands; return its passwords by account."""
    place.manage("migrate", "--verbosity=0")
    place.manage("collectstatic", "--noinput", "--verbosity=0")
    place.manage("seed_demo", "--learners", str(learners))
    place.manage("give_awards")
    told = place.manage("seed_demo", "--show-sign-ins")
    return dict(line.split()[:2] for line in io.StringIO(told) if line.strip())  # type: ignore[misc]


def main() -> int:
    """Take the pictures that the command line asks for."""
    parser = argparse.ArgumentParser(prog="screenshots", description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--var", type=Path, help="folder of the installation, kept")
    parser.add_argument("--learners", type=int, default=60, help="in the demo school")
    parser.add_argument("--only", default="", help="names of pages, a regular expression")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        var = arguments.var or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        var.mkdir(parents=True, exist_ok=True)
        place = Place(var=var.absolute(), postgres_url=None)
        passwords = prepare(place, arguments.learners)
        site = stack.enter_context(served(place))
        browser = stack.enter_context(chromium())
        taken = take(browser, site.url, passwords, arguments.out, arguments.only)
        for language, prefix in (("en", "state-"), ("de", "german-")):
            states = collect(place, var / prefix, course=COURSE, language=language).pages
            taken += take_states(browser, site.url, states, arguments.out, arguments.only, prefix)
    print(f"{taken} pictures in {arguments.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
