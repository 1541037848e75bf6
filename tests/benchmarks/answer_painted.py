"""How soon after a click on Check a student sees what came of the answer.

    .venv/bin/python -m tests.benchmarks.answer_painted

The small school of the journeys on the embedded default, in Chromium: 20 answers in the page that
is open, each timed from the click to the first frame with the feedback; then the feedback page 20
times as a whole page, which is what a browser without scripts loads after its POST and redirect.
Writes docs/benchmarks/answer_painted.json and its section of docs/benchmarks.md.
"""

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tutor.config.settings")
django.setup()

from tests.benchmarks.product.circumstances import circumstances, write  # noqa: E402
from tests.factories import wrong_answer  # noqa: E402
from tests.journeys.person import Person  # noqa: E402
from tests.servers.browser import chromium  # noqa: E402
from tests.servers.site import Places, Site, migrated, served  # noqa: E402
from tutor.content import grading  # noqa: E402

ANSWERS = 20
WARM_UP = 3
PAINTED = """() => new Promise((done) => {
  const from = performance.now();
  new MutationObserver((_, watch) => {
    if (!document.querySelector(".verdict")) return;
    watch.disconnect();
    requestAnimationFrame(() => setTimeout(() => done(performance.now() - from)));
  }).observe(document.querySelector("main"), { childList: true, subtree: true });
  document.querySelector("form.answering button.primary").click();
})"""
LOADED = """() => new Promise((done) => {
  new PerformanceObserver((list) => done(list.getEntries()[0].startTime))
    .observe({ type: "paint", buffered: true });
})"""


def main() -> None:
    result = circumstances()
    with tempfile.TemporaryDirectory() as folder:
        place = Places(folder=Path(folder), postgres_url=None).make(*migrated())
        subprocess.run(
            [sys.executable, "-m", "tests.journeys.school"],
            env={**os.environ, **place.environment},
            check=True,
            capture_output=True,
        )
        with served(place) as site:
            swapped, loaded = measure(site)
    result |= {"answers": ANSWERS, "swapped_ms": spread(swapped), "page_ms": spread(loaded)}
    write("answer_painted", result=result, section=section(result))


def measure(site: Site) -> tuple[list[float], list[float]]:
    """Return ms from the click to the feedback, and from opening its page to the first paint."""
    swapped, loaded = [], []
    with chromium() as browser:
        student = Person(page=browser.new_page(), site=site, username="student")
        student.sign_in()
        student.start()
        for number in range(ANSWERS + WARM_UP):
            # Neither mastered nor stuck: there is always a next question.
            item = student.item()
            student.fill_in(grading.right_answer(item) if number % 2 else wrong_answer(item))
            swapped.append(student.page.evaluate(PAINTED))
            student.page.reload()
            loaded.append(student.page.evaluate(LOADED))
            over = student.page.get_by_role("link", name="See how it went").count()
            student.press("See how it went" if over else "Next question")
            if over:
                student.start()
    return swapped[WARM_UP:], loaded[WARM_UP:]


def spread(times: list[float]) -> dict[str, float]:
    """Return median, 95th percentile and longest, in ms."""
    ordered = sorted(times)
    p95 = ordered[int(0.95 * (len(ordered) - 1))]
    named = {"median": statistics.median(ordered), "p95": p95, "max": ordered[-1]}
    return {name: round(value, 1) for name, value in named.items()}


def section(result: dict) -> str:
    cells = [
        " | ".join(str(value) for value in result[name].values())
        for name in ("swapped_ms", "page_ms")
    ]
    ratio = result["swapped_ms"]["median"] / result["page_ms"]["median"]
    return f"""## From an answer to its feedback on the screen

`python -m tests.benchmarks.answer_painted`: the embedded default, one student in Chromium on the
same machine, {result["answers"]} answers. {result["date"]}, {result["hardware"]}, load
{result["load_before"]} before, commit {result["commit"]}.

| until the feedback is painted | median ms | p95 ms | longest ms |
|---|---|---|---|
| from the click, in the page that is open: graded, stored, next item chosen | {cells[0]} |
| of the feedback page alone, loaded as a whole | {cells[1]} |

Target: a median under 150 ms. All that an answer takes in the open page is {ratio:.2f} of what
loading the feedback page alone would take after it.
"""


if __name__ == "__main__":
    main()
