"""How long both engines take on large sparse logs, and the logs themselves."""

import resource
import time

import numpy as np

from curriculum.irt.em import fit_em
from curriculum.irt.parameters import bank_of
from curriculum.irt.py_irt_model import fit_py_irt
from curriculum.irt.responses import Responses


def speed(count):
    """Return processor seconds of both engines on a log of R responses, 20 a learner.

    The warm start comes from a calibration of 85 % of the learners.
    """
    responses = sparse(count, items=max(100, count // 500))
    earlier = fit_em(early_part(responses)).bank
    jobs = {
        "em": lambda: fit_em(responses),
        "em, warm": lambda: fit_em(responses, earlier=earlier),
        "py-irt, warm": lambda: fit_py_irt(responses, earlier=earlier),
        "py-irt, cold": lambda: fit_py_irt(responses),
    }
    seconds, fits = {}, {}
    for name, job in jobs.items():
        began = time.process_time()
        fits[name] = job()
        seconds[name] = time.process_time() - began
    gap = fits["py-irt, warm"].bank.difficulty - fits["em"].bank.difficulty
    return {
        "responses": len(responses),
        "learners": len(responses.learners),
        "items": len(responses.items),
        "processor_seconds": seconds,
        "iterations": {name: fit.iterations for name, fit in fits.items()},
        "warm_py_irt_times_em": seconds["py-irt, warm"] / seconds["em"],
        "rmse_warm_py_irt_to_em": rmse(gap),
        "peak_gigabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    }


def early_part(responses):
    """Return the responses of the first 85 % of the learners."""
    cut = int(np.searchsorted(responses.learner, int(0.85 * len(responses.learners))))
    return Responses(
        learners=responses.learners,
        items=responses.items,
        learner=responses.learner[:cut],
        item=responses.item[:cut],
        correct=responses.correct[:cut],
    )


def sparse(count, *, items, each=20):
    """Return responses of learners who answered `each` items drawn without regard to anything."""
    rng = np.random.default_rng(0)
    learners = count // each
    # A walk of a random step over the items meets each at most once.
    start, step = rng.integers(0, items, learners), rng.integers(1, items // each, learners)
    item = (start[:, None] + step[:, None] * np.arange(each)) % items
    ability = np.repeat(rng.normal(size=learners), each)
    place, slope = rng.normal(size=items), np.exp(0.35 * rng.normal(size=items))
    chosen = item.ravel()
    chance = 1.0 / (1.0 + np.exp(-slope[chosen] * (ability - place[chosen])))
    bank = bank_of([f"i{k}" for k in range(items)], difficulty=place, discrimination=slope)
    return Responses(
        learners=tuple(f"l{k}" for k in range(learners)),
        items=bank.items,
        learner=np.repeat(np.arange(learners), each),
        item=chosen,
        correct=(rng.random(len(chosen)) < chance).astype(float),
    )


def rmse(values):
    return float(np.sqrt(np.mean(np.square(values))))
