"""The parts of the benchmark `fold_log`, each run in a process of its own.

python -m tests.benchmarks.product.fold_log_parts store|work|sampling DATA LOG
"""

import datetime as dt
import json
import os
import resource
import sys
import time
from pathlib import Path

import numpy as np

from kt_models.data import research_logs
from kt_models.data.splits import split_learners
from kt_models.evaluation import metrics, resampling
from kt_models.training import psi_filter as training
from tests.benchmarks.product import stored_log

READERS = {
    "assistments2017": research_logs.read_assistments2017,
    "assistments2012_dev": research_logs.read_assistments2012,
}
AT = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
# Learners of one class, for what the web process does with such a course.
CLASS = 100
# Answers folded row by row, for comparison.
ROW_BY_ROW = 10_000


def main() -> None:
    what, data, name = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    if what == "sampling":
        result = sampling(READERS[name](data / name))
    else:
        import django

        django.setup()
        result = store(data, name) if what == "store" else work()
    print(json.dumps(result))


def store(data: Path, name: str) -> dict[str, object]:
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    stored_log.store(READERS[name](data / name), slug=name)
    return {}


def timed(call):
    began = time.perf_counter()
    found = call()
    return found, round(time.perf_counter() - began, 3)


def peak() -> int:
    """Return the most memory that this process has held, MB."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000)


def work() -> dict[str, object]:
    """Fit, fold and check, as after an import; then the parts of it one by one."""
    from tutor.content.models import Course
    from tutor.tracing import adoption, rebuilding, services

    course = Course.objects.get()
    result: dict[str, object] = {
        "memory_before_mb": peak(),
        "load_before": round(os.getloadavg()[0], 2),
    }
    learners = adoption.count_learners(course=course)
    answers = course_answers(course)
    result |= {"answers": answers, "learners": learners}
    result["estimated_seconds"] = round(
        adoption.estimate_seconds(answers=answers, learners=learners), 1
    )
    version, result["fit_and_fold_seconds"] = timed(
        lambda: adoption.fit_and_adopt(course=course, at=AT, reason="benchmark")
    )
    result["fit_seconds"] = version.provenance["seconds"]
    result["provenance"] = version.provenance
    result["estimated_seconds_after"] = round(
        adoption.estimate_seconds(answers=answers, learners=learners), 1
    )
    course.refresh_from_db()
    tracer = services.tracer_of_version(version=version, revision=course.revision)
    _, result["fold_seconds"] = timed(lambda: list(rebuilding.fold_everybody(tracer=tracer)))
    result["peak_memory_mb"] = peak()
    checked, result["check_seconds"] = timed(
        lambda: dict(rebuilding.find_differences(tracer=tracer))
    )
    assert len(checked) == learners
    assert all(checked.values())
    result |= in_parts(course, tracer) | in_the_web_process(course)
    return result


def course_answers(course) -> int:
    from tutor.responses import columns

    return sum(columns.count_standing(course_id=course.pk).values())


def in_parts(course, tracer) -> dict[str, object]:
    from kt_models import api
    from tutor.responses import columns
    from tutor.tracing import bulk, services

    whole, read_seconds = timed(lambda: columns.read_whole_log(course_id=course.pk))
    folder = bulk.make_folder(tracer=tracer, answers=len(whole))
    rows = folder.table.rows_of(whole.version_id)
    arrays = {
        "starts": whole.starts,
        "concepts": folder.table.concepts[rows],
        "item_offsets": folder.offsets[rows],
        "correct": whole.credit,
        "answered_at": whole.answered_at,
        "assisted": whole.assisted,
    }
    filters = [timed(lambda: api.fold_learners(tracer.parameters, **arrays))[1] for _ in range(3)]
    states = [
        timed(
            lambda: [one.learner.to_bytes() for one in folder.fold_columns(answers=whole).values()]
        )[1]
        for _ in range(3)
    ]
    sizes = columns.count_standing(course_id=course.pk)
    few = next(columns.in_pieces(sizes=sizes, answers=ROW_BY_ROW, learners=10**6))
    _, slow = timed(lambda: list(services.fold_learners(tracer=tracer, learner_ids=few)))
    return {
        "read_seconds": read_seconds,
        "filter_seconds": min(filters),
        "whole_state_seconds": min(states),
        "row_by_row_us": round(slow / sum(sizes[pk] for pk in few) * 1e6, 1),
    }


def in_the_web_process(course) -> dict[str, object]:
    from tutor.accounts.models import Learner
    from tutor.common import cache
    from tutor.content import selectors as content_selectors
    from tutor.content.models import ItemVersion
    from tutor.tracing import selectors

    cache.clear_all()
    key = {"course_id": course.pk, "revision": course.revision}
    bank, bank_seconds = timed(lambda: content_selectors.get_bank(**key))
    _, lay_over_seconds = timed(lambda: selectors.get_tracer(**key))
    learners = list(Learner.objects.order_by("pk")[:CLASS])
    _, class_seconds = timed(
        lambda: selectors.list_masteries(learners=learners, course=course, at=AT)
    )
    return {
        "items": ItemVersion.objects.count(),
        "concepts": len(bank.concept_ids),
        "bank_seconds": bank_seconds,
        "lay_over_seconds": lay_over_seconds,
        "class_of_100_masteries_seconds": class_seconds,
    }


def sampling(log) -> dict[str, object]:
    """Hold the scalars of a sample of learners against those of all, on learners held out."""
    train, test = (log.only_learners(own) for own in split_learners(log, seed=0))
    found = {"test_learners": len(test.learner_keys), "test_answers": len(test)}
    sample, everybody = training.SAMPLE_ANSWERS, len(train)
    for name, sizes in (("sampled", sample), ("all", (sample[0], everybody))):
        training.SAMPLE_ANSWERS = sizes
        fitted, seconds = timed(
            lambda: training.fit_filter(train, seed=0, fitted_on=dt.date(2026, 1, 1))
        )
        prob = training.forecast(fitted, test).prob
        found[name] = {
            "answers": fitted.provenance["sample_answers"],
            "learners": fitted.provenance["sample_learners"],
            "seconds": round(seconds, 1),
            "held_out_log_loss": round(metrics.log_loss(test.correct, prob), 5),
        }
        found[f"prob_{name}"] = prob
    more = resampling.paired(
        metrics.log_loss,
        correct=test.correct,
        prob=found["prob_sampled"],
        other=found["prob_all"],
        learner=test.learner,
        seed=0,
    )
    found["log_loss_more"] = [round(value, 6) for value in (more.value, more.low, more.high)]
    return {key: value for key, value in found.items() if not isinstance(value, np.ndarray)}


if __name__ == "__main__":
    main()
