"""A whole calibration of a large log, in a process of its own: seconds a step, and peak memory.

    .venv/bin/python -m tests.benchmarks.calibration_whole RESPONSES

It prints JSON. Twenty answers a learner, an item for every 500 answers. The run starts from a
calibration of 85 % of the learners, as that of a later night does, and does all that
`python -m curriculum calibrate` does but for reading the log and drawing pictures. Marginal maximum
likelihood of the same answers comes before it, to compare with.
"""

import json
import resource
import sys
import time

import numpy as np

from curriculum.irt.calibrating import calibrate
from curriculum.irt.em import fit_em
from kt_models.api import ResponseLog
from tests.benchmarks.calibration_speed import early_part, rmse, sparse

GIGABYTE = 2**20  # of the kilobytes that the system counts in


def main(arguments):
    """Calibrate and print; return 0."""
    [count] = map(int, arguments)
    responses = sparse(count, items=max(100, count // 500))
    bank = fit_em(early_part(responses)).bank
    began = time.process_time()
    twin = fit_em(responses)
    em_seconds, em_peak = time.process_time() - began, peak()
    log = log_of(responses)
    del responses
    steps, last = [], [time.process_time(), ""]

    def tell(step):
        now = time.process_time()
        if last[1]:
            steps.append({"step": last[1], "processor_seconds": now - last[0], "peak": peak()})
        last[:] = [now, step]

    run = calibrate(log, earlier=bank, progress=tell)
    tell("")
    found = {
        "responses": len(log),
        "learners": len(log.learner_keys),
        "items": len(log.item_keys),
        "em": {"processor_seconds": em_seconds, "iterations": twin.iterations, "peak": em_peak},
        "steps": steps,
        "processor_seconds": sum(one["processor_seconds"] for one in steps),
        "peak_gigabytes": peak(),
        "rmse_to_em": rmse(np.array([one.difficulty for one in run.items]) - twin.bank.difficulty),
        "gates": {gate.name: gate.passed for gate in run.gates},
    }
    print(json.dumps(found))
    return 0


def log_of(responses):
    """Return the responses as a log without times."""
    starts = np.searchsorted(responses.learner, np.arange(len(responses.learners) + 1))
    count, nothing = len(responses), np.zeros(len(responses))
    return ResponseLog(
        learner_keys=responses.learners,
        item_keys=responses.items,
        concept_keys=("all",),
        starts=starts,
        item=responses.item,
        concept_set=np.zeros(count, dtype=np.int64),
        concept_sets=np.zeros((1, 1), dtype=np.int64),
        correct=responses.correct,
        shown_at=nothing,
        answered_at=nothing,
        assisted=np.zeros(count, dtype=bool),
        has_times=False,
    )


def peak():
    """Return the most memory that this process has held, in gigabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / GIGABYTE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
