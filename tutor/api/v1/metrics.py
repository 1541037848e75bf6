"""The numbers of `health`, in the text format that Prometheus and its like collect."""

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from tutor.api.v1.health import read_health


@require_GET
@never_cache
def show(request: HttpRequest) -> HttpResponse:
    """Return every number; what cannot be known just now is left out.

    They are read from the tables and the broker, not counted in this process: any of several web
    servers may be asked and says the same.
    """
    registry = CollectorRegistry()
    registry.register(_Read(read_health()))
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return HttpResponse(encode(registry), content_type=content_type)


class _Read(Collector):
    """What was read once, as metrics."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics."""
        document = self.document
        yield InfoMetricFamily("tutor", "Program", {"version": document["version"]})
        up = GaugeMetricFamily("tutor_part_up", "1 while the part answers", labels=["part"])
        for part in ("database", "broker"):
            up.add_metric([part], float(document[part] == "ok"))
        yield up
        yield from _by_label(
            "tutor_tasks_waiting", "Messages in the queue", "queue", document["queues"]
        )
        yield from _deep_work(document["deep_work"])
        yield from _by_label(
            "tutor_items_chosen_last_hour",
            "Items chosen in the last hour, of the newest 5000, by what their estimates stood on",
            "rung",
            document["rungs_last_hour"],
        )


def _by_label(name: str, help_text: str, label: str, found: dict[str, int] | None) -> list[Metric]:
    if found is None:
        return []
    family = GaugeMetricFamily(name, help_text, labels=[label])
    for key, count in found.items():
        family.add_metric([key], count)
    return [family]


def _deep_work(found: dict[str, Any] | None) -> Iterator[Metric]:
    if found is None:
        return
    yield GaugeMetricFamily(
        "tutor_deep_learners_waiting",
        "Learners with answers that the deep tracer has not read",
        value=found["learners_waiting"],
    )
    yield GaugeMetricFamily(
        "tutor_deep_oldest_seconds",
        "How long the first of them has waited",
        value=found["oldest_s"] or 0.0,
    )
    yield GaugeMetricFamily(
        "tutor_deep_learners_left_aside",
        "Learners whose deep estimate failed and who wait for somebody",
        value=found["left_aside"],
    )
