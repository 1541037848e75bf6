"""Pools of decisions whose worth is known, made once."""

import pytest

from tests.curriculum.evaluation.worlds import make_pool


@pytest.fixture(scope="package")
def pool():
    return make_pool(learners=60, seed=3, targets=("zpdes", "closest-to-target"), most=8)
