"""A course with a network of the usual size, to measure with: what it has learnt matters not."""

import numpy as np


def give(course, *, trained: int):
    """Promote the live tracer with CAKT with items beside it, one epoch on so many learners."""
    from kt_models.models.cakt_item import CaktItem, CaktItemConfig
    from kt_models.training.trainer import TrainingConfig
    from tests.factories import AT
    from tests.tutor.networks import POOL
    from tutor.registry import networks, training
    from tutor.registry import selectors as registry_selectors
    from tutor.registry import services as registry_services

    model = CaktItem(CaktItemConfig(training=TrainingConfig(epochs=1)))
    model.fit(training.read_log(course=course).only_learners(np.arange(trained)))
    network = networks.store_network(course=course, model=model, provenance={})
    live = registry_selectors.get_live_tracer(course_id=course.pk)
    deep = {"network": network.pk, "sha256": network.sha256, "pool": POOL}
    version = registry_services.store_tracer(
        course=course, body={**live.body, "deep": deep}, provenance={}
    )
    registry_services.promote(course=course, tracer=version, at=AT, reason="benchmark")
    course.refresh_from_db()
    return version
