"""A short run of the faults; `tests/benchmarks/faults.py` has the long one."""

import pytest

from tests.faults import harness

pytestmark = pytest.mark.slow


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.timeout(900)
def test_nothing_is_lost_or_double_whatever_is_killed(tmp_path):
    found = harness.run(
        folder=tmp_path, answers=80, learners=12, threads=4, every_s=0.5, quiet_s=300, workers=2
    )

    assert found.acknowledged >= 80
    assert (found.lost, found.double, found.left_aside) == (0, 0, 0)
    assert found.is_same, found.report
    assert len(found.faults) == harness.KINDS
