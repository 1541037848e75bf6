"""How near the filter's estimates come to the true states of simulated learners.

    python -m tests.benchmarks.simulated_cohort [--only NAME] [--seeds 1 2 3]

Writes docs/benchmarks/simulated_cohort.json and its section of docs/benchmarks.md.
"""

import argparse
import json
import re
import time
from pathlib import Path
from typing import Any

from curriculum.simulation import HARSH, INSIGHT, Population
from tests.benchmarks.simulated.demo import read_demo_course
from tests.benchmarks.simulated.report import HEADING, section_of
from tests.benchmarks.simulated.run import run

DOCS = Path(__file__).parents[2] / "docs"
# Name: (population, learners beyond the 300 to fit on instead of their half).
VARIANTS = {
    "default": (Population(), 0),
    "default, items fitted on 1,000 others": (Population(), 1_000),
    "harsh": (HARSH, 0),
    "insight": (INSIGHT, 0),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--only", choices=list(VARIANTS), help="one variant, printed, not written")
    chosen = parser.parse_args()
    course = read_demo_course().course
    results: dict[str, Any] = {
        "course": {"concepts": course.n_concepts, "items": len(course.items)},
        "runs": {},
    }
    for name in [chosen.only] if chosen.only else VARIANTS:
        population, extra = VARIANTS[name]
        for seed in chosen.seeds:
            began = time.perf_counter()
            found = run(course, population, seed=seed, extra=extra)
            results["runs"].setdefault(name, []).append(found)
            print(name, seed, _line(found), f"{time.perf_counter() - began:.0f} s", flush=True)
    if chosen.only is None:
        write(results)


def _line(found: dict[str, Any]) -> str:
    ratios = {name: one["ratio"]["value"] for name, one in found["targets"].items()}
    return f"{ratios} calibration {found['calibration']['error']['value']}"


def write(results: dict[str, Any]) -> None:
    """Store all figures, and replace the benchmark's own section of the page."""
    folder = DOCS / "benchmarks"
    folder.mkdir(exist_ok=True)
    text = json.dumps(results, indent=1) + "\n"
    (folder / "simulated_cohort.json").write_text(text, encoding="utf-8")
    page = DOCS / "benchmarks.md"
    before = page.read_text(encoding="utf-8") if page.exists() else "# Benchmarks\n"
    section = section_of(results)
    own = re.compile(rf"^{re.escape(HEADING)}\n.*?(?=^## |\Z)", re.DOTALL | re.MULTILINE)
    after = own.sub(lambda _: section, before) if own.search(before) else f"{before}\n{section}"
    page.write_text(after, encoding="utf-8")


if __name__ == "__main__":
    main()
