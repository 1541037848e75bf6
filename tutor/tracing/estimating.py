"""How long fitting and folding a log will take, told before it is begun. Light: numpy only.

Seconds are a few constants times the answers and learners, measured on public logs
(docs/benchmarks/fold_log.json), times how much slower this machine is than the one they were
measured on. That is known from the newest fits of this installation, whose seconds stand in their
provenance; before the first one, from a fraction of a second of the streaming filter.
"""

import statistics
import time
from collections.abc import Callable

from kt_models.streaming import psi_filter
from tutor.registry.models import TracerVersion

# Seconds on the machine of the benchmark.
UPDATE = 12e-6  # one streaming update of a new learner's first hundred, the yardstick
STARTING = 4.0  # numba and scipy are loaded, kernels compiled or read
READ_ANSWER = 2.7e-6
FIT_ANSWER = 5.5e-6  # the item offsets' sweeps, over all answers
FIT_SAMPLED = 1.0e-4  # the scalars, over samples of the learners
FOLD_ANSWER = 1.0e-6
FOLD_LEARNER = 2.5e-4
FOLD_ANSWER_STREAMED = 5.0e-5
# Samples of a fit, see kt_models.training.psi_filter, and where compiled code begins to fold, see
# `bulk`; written out because those modules load what is heavy. A test holds them together.
SAMPLE_ANSWERS = (40_000, 120_000)
COMPILED_FROM = 30_000
# Fits of fewer answers mostly measure how long numba takes to load.
TELLING_FIT = 20_000
NEWEST_FITS = 5


def estimate_seconds(
    *, answers: int, learners: int, timer: Callable[[], float] = time.perf_counter
) -> float:
    """Return about how many seconds it takes to fit a tracer on a log and fold everybody.

    Within a factor of 2 on a machine that does little else. Takes some 20 ms.

    Args:
        answers: in the whole log of the course, old and new.
        learners: with answers in the course.
        timer: seconds from any origin, for the yardstick.
    """
    model = fit_seconds(answers=answers) + fold_seconds(answers=answers, learners=learners)
    recorded = _recorded_slowness()
    return model * (_measured_slowness(timer) if recorded is None else recorded)


def fit_seconds(*, answers: int) -> float:
    """Return what reading the log and fitting takes on the machine of the benchmark."""
    sampled = sum(min(answers, sample) for sample in SAMPLE_ANSWERS)
    return STARTING + (READ_ANSWER + FIT_ANSWER) * answers + FIT_SAMPLED * sampled


def fold_seconds(*, answers: int, learners: int) -> float:
    """Return what reading, folding and storing everybody takes on the machine of the benchmark."""
    each = READ_ANSWER + FOLD_ANSWER if answers >= COMPILED_FROM else FOLD_ANSWER_STREAMED
    return each * answers + FOLD_LEARNER * learners


def _recorded_slowness() -> float | None:
    """Return seconds over the model's, the middle one of the newest fits; None without any."""
    newest = TracerVersion.objects.order_by("-pk").values_list("provenance", flat=True)
    ratios = [
        told["seconds"] / fit_seconds(answers=told["answers"])
        for told in newest[:NEWEST_FITS]
        if "seconds" in told and told.get("answers", 0) >= TELLING_FIT
    ]
    return statistics.median(ratios) if ratios else None


def _measured_slowness(timer: Callable[[], float], *, rounds: int = 9, updates: int = 100) -> float:
    parameters = psi_filter.FilterParameters()
    took = []
    for _ in range(rounds):
        state, began = psi_filter.init(parameters), timer()
        for number in range(updates):
            state = psi_filter.update(
                state,
                parameters,
                concept_ids=(number % 7, 10 + number % 5),
                item_offset=0.1,
                correct=1.0,
                at=60.0 * number,
            )
        took.append((timer() - began) / updates)
    return statistics.median(took) / UPDATE
