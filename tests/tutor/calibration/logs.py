"""Courses with a log of simulated learners, whose items' true difficulty is known."""

import datetime as dt
import json
import uuid

import numpy as np

from tests.factories import AT
from tutor.accounts import services as account_services
from tutor.content import course_format
from tutor.content import services as content_services
from tutor.content.course_format import CourseSpec, ItemSpec
from tutor.content.models import Course, ItemVersion
from tutor.content.rendered import choice_id
from tutor.responses import services as response_services
from tutor.responses.bulk import BulkResponse
from tutor.responses.columns import EPOCH
from tutor.tracing import services as tracing_services

OPTIONS = ("right", "near", "far", "never")


def a_course(*, organisation, items: int = 24, slug: str = "physics") -> Course:
    """A course of three concepts without prerequisites and items with four options each."""
    own = tuple(an_item(number) for number in range(items))
    course = load_items(organisation, own, slug=slug)
    tracing_services.give_prior_tracer(course=course, at=AT)
    course.refresh_from_db()
    return course


def load_items(organisation, items, *, slug: str = "physics") -> Course:
    """Load the course with these items."""
    concepts = tuple(
        course_format.ConceptSpec(slug=name, name=name.title(), description="")
        for name in ("force", "light", "sound")
    )
    spec = CourseSpec(
        slug=slug,
        title=slug.title(),
        language="en",
        concepts=concepts,
        misconceptions=(),
        items=items,
    )
    return content_services.load_course(organisation=organisation, spec=spec).course


def an_item(number: int, **fields) -> ItemSpec:
    return ItemSpec(
        **{
            "slug": f"item-{number:03d}",
            "concepts": (("force", "light", "sound")[number % 3],),
            "kind": "single_choice",
            "stem": f"What is number {number}? " + "Think twice. " * (number % 4),
            "choices": tuple({"text": text, "correct": text == "right"} for text in OPTIONS),
            **fields,
        }
    )


def truth(items: int, *, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """True difficulties and discriminations."""
    rng = np.random.default_rng(seed)
    return rng.permutation(np.linspace(-1.5, 1.5, items)), rng.lognormal(0.0, 0.2, items)


def answer_all(
    course: Course,
    *,
    learners: int = 220,
    seed: int = 0,
    source: str = "first",
    mean: float = 0.0,
    share: float = 1.0,
    wrong_key: int | None = None,
    at: dt.datetime = AT,
    rounds: int = 1,
    opposed: float = 0.0,
) -> list[int]:
    """Let new learners answer the course's items; return the learners' ids.

    Abler ones who are wrong choose "near", others "far"; nobody chooses "never".

    Args:
        rounds: how often each answers each item.
        opposed: logits by which every second learner finds every second item easier and the others
            harder, and the remaining learners the other way round.
    """
    rng = np.random.default_rng(seed)
    versions = _versions(course)
    difficulty, slope = truth(len(versions))
    ids = account_services.admit_learners(
        organisation=course.organisation,
        source=source,
        external_ids=[str(number) for number in range(learners)],
    )
    rows = []
    for number, learner in enumerate(ids.values()):
        ability = rng.normal(mean, 1.0)
        orders = [rng.permutation(len(versions)) for _ in range(rounds)]
        for place in np.concatenate(orders):
            if rng.random() >= share:
                continue
            version, sign = versions[place], -1.0 if place == wrong_key else 1.0
            logit = sign * slope[place] * (ability - difficulty[place])
            logit += opposed * (-1.0) ** (number + place)
            right = bool(rng.random() < 1.0 / (1.0 + np.exp(-logit)))
            option = 0 if right else (1 if ability > 0.0 else 2)
            moment = at + dt.timedelta(minutes=len(rows) % 1000)
            chosen = choice_id(slug=version.item.slug, index=option)
            rows.append(
                BulkResponse(
                    learner_id=learner,
                    client_key=uuid.UUID(int=int(rng.integers(0, 2**62))).hex,
                    item_version_id=version.pk,
                    answer=json.dumps({"choice": chosen}),
                    credit=float(right),
                    attempt=1,
                    hints_seen=0,
                    presented_at=None,
                    elapsed_ms=None,
                    answered_at=(moment - EPOCH) // dt.timedelta(microseconds=1),
                )
            )
    # Past the ORM: objects would take most of these tests' time.
    response_services.append_log(course_id=course.pk, source="test", received_at=at, rows=rows)
    return list(ids.values())


def _versions(course: Course) -> list[ItemVersion]:
    rows = ItemVersion.objects.filter(item__course=course)
    return list(rows.select_related("item").order_by("pk"))
