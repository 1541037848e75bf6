"""The demo course as something that can be simulated, read from its YAML."""

from dataclasses import dataclass
from pathlib import Path

import yaml

from curriculum.simulation import SimulatedCourse, SimulatedItem, guess_prob

DEMO_COURSE = Path(__file__).parents[3] / "tutor" / "content" / "demo_course"


@dataclass(frozen=True, slots=True)
class NamedCourse:
    """A course to simulate, with the names of its concepts and items by index."""

    course: SimulatedCourse
    concepts: tuple[str, ...]
    items: tuple[str, ...]


def read_demo_course(folder: Path = DEMO_COURSE) -> NamedCourse:
    """Return the demo course; items of concepts that nobody wrote yet are simply absent."""
    outline = yaml.safe_load((folder / "course.yaml").read_text(encoding="utf-8"))
    concepts = [concept["slug"] for concept in outline["concepts"]]
    place = {slug: index for index, slug in enumerate(concepts)}
    bodies = [
        body
        for path in sorted((folder / "items").glob("*.yaml"))
        for body in yaml.safe_load(path.read_text(encoding="utf-8")) or []
    ]
    tags = sorted({tag for body in bodies for tag in _misconceptions(body)})
    return NamedCourse(
        course=SimulatedCourse(
            prerequisites=tuple(
                tuple(place[slug] for slug in concept.get("requires") or ())
                for concept in outline["concepts"]
            ),
            items=tuple(
                SimulatedItem(
                    concepts=tuple(place[slug] for slug in body["concepts"]),
                    difficulty=float(body.get("difficulty", 0.0)),
                    guess=guess_prob(body["kind"], options=len(body.get("choices", ()))),
                    misconceptions=tuple(tags.index(tag) for tag in _misconceptions(body)),
                )
                for body in bodies
            ),
        ),
        concepts=tuple(concepts),
        items=tuple(body["slug"] for body in bodies),
    )


def _misconceptions(body: dict) -> list[str]:
    """Return the misconceptions that an item's anticipated wrong answers name."""
    wrong = [*body.get("wrong", ()), *body.get("choices", ())]
    return sorted({one["misconception"] for one in wrong if one.get("misconception")})
