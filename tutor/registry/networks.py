"""Trained networks in the database: stored by a training, opened by a worker.

Opening loads torch; the web process never comes here.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Max

from kt_models import api
from tutor.common.cache import new_cache
from tutor.content import services as content_services
from tutor.content.models import Course
from tutor.registry.models import Network

if TYPE_CHECKING:
    from kt_models.models.base import AbstractModel

# Opened ones of a worker: each a few MB, and a course has one in use.
_opened = new_cache(capacity=8)


@transaction.atomic
def store_network(
    *, course: Course, model: "AbstractModel", provenance: Mapping[str, Any]
) -> Network:
    """Store a trained model; equal ones give the row that is there already.

    Raises:
        NotFitted: nothing was learnt yet.
    """
    description, weights = api.model_to_bytes(model, provenance={})
    digest = hashlib.sha256(json.dumps(description, sort_keys=True).encode()).hexdigest()
    # Keeps two trainings from taking the same number.
    content_services.lock_course(course=course)
    known = Network.objects.filter(course=course, sha256=digest).first()
    if known is not None:
        return known
    newest = Network.objects.filter(course=course).aggregate(Max("number"))["number__max"]
    return Network.objects.create(
        course=course,
        number=(newest or 0) + 1,
        model=model.name,
        description=description,
        weights=weights,
        sha256=digest,
        provenance=dict(provenance),
    )


def open_network(network_id: int) -> "AbstractModel":
    """Return the model, loaded once per process and put on the GPU if there is one.

    Raises:
        Network.DoesNotExist: there is no such network.
        UnreadableModel: it was written by other code, or is damaged.
    """
    return _opened.get(network_id, lambda: _open(network_id))


def _open(network_id: int) -> "AbstractModel":
    row = Network.objects.get(pk=network_id)
    origin = f"network {row.number} of course {row.course_id}"
    return api.model_from_bytes(row.description, bytes(row.weights), origin=origin)
