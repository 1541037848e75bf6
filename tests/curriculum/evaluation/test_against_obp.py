"""Our estimates are those of the Open Bandit Pipeline, published in tests/data."""

import json

import pytest

from curriculum.evaluation import Limits, evaluate
from tests.curriculum.evaluation.against_obp import FIXTURE, make_decisions


@pytest.mark.parametrize("seed", range(5))
def test_the_same_decisions_have_the_same_estimates(seed):
    published = json.loads(FIXTURE.read_text())["estimates"][str(seed)]
    log, _, _ = make_decisions(seed)
    limits = Limits(clip=1e9, min_learners=10, min_ess_share=0.001, resamples=100, seed=seed)

    found = evaluate(log, "other", limits=limits).estimates

    assert {name: one.value for name, one in found.items()} == pytest.approx(published, rel=1e-9)
