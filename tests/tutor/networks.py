"""A course with a deep tracer, trained in a second on made-up answers to its own items."""

import functools

import numpy as np

from kt_models.data.log import build_log
from kt_models.models.cakt_item import CaktItem, CaktItemConfig
from kt_models.training.trainer import TrainingConfig
from tests.factories import AT
from tests.tutor.histories import versions_of
from tutor.content.models import Course
from tutor.registry import networks
from tutor.registry import selectors as registry_selectors
from tutor.registry import services as registry_services
from tutor.registry.models import TracerVersion

POOL = {"lags": [1.0, 0.8, 0.6, 0.4], "aged": 0.5, "aged_after_s": 3600.0, "concepts": 1.0}


def give_network(course: Course, *, pool=POOL, versions=None, seed=0) -> TracerVersion:
    """Promote the live tracer with a network beside it, without folding anybody."""
    course.refresh_from_db()
    known = versions_of(course) if versions is None else versions
    concepts = {
        version.pk: tuple(str(pk) for pk in version.concept_links.values_list("concept", flat=True))
        for version in known
    }
    network = networks.store_network(
        course=course, model=_trained(tuple(sorted(concepts.items())), seed), provenance={}
    )
    live = registry_selectors.get_live_tracer(course_id=course.pk)
    deep = {"network": network.pk, "sha256": network.sha256, "pool": pool}
    version = registry_services.store_tracer(
        course=course, body={**live.body, "deep": deep}, provenance={"seed": seed}
    )
    registry_services.promote(course=course, tracer=version, at=AT, reason="test")
    course.refresh_from_db()
    return version


@functools.cache
def _trained(concepts, seed) -> CaktItem:
    rng = np.random.default_rng(seed)
    rows = [
        (f"l{learner}", version, names, skill)
        for learner, skill in enumerate(rng.normal(size=40))
        for version, names in (concepts[k] for k in rng.integers(len(concepts), size=12))
    ]
    log = build_log(
        learners=[row[0] for row in rows],
        items=[str(row[1]) for row in rows],
        concepts=[row[2] for row in rows],
        correct=(rng.random(len(rows)) < 1 / (1 + np.exp([-2 * row[3] for row in rows]))) * 1.0,
        answered_at=np.arange(len(rows)) * 60.0,
    )
    config = CaktItemConfig(hidden=8, width=6, window=12, training=TrainingConfig(epochs=3))
    model = CaktItem(config)
    model.fit(log)
    return model
