"""A short run of the crowd; `tests/benchmarks/students_over_pages.py` has the long one."""

import pytest

from tests.load import crowd
from tests.servers.site import served


@pytest.mark.slow
def test_every_answer_of_a_crowd_arrives_once(demo_place):
    with served(demo_place) as site:
        found = crowd.run(site, students=24, seconds=8, think_s=0.4)
        output = site.output

    assert found.errors == []
    assert (found.lost, found.double, found.extra) == (0, 0, 0)
    assert found.acknowledged > 20
    assert "Traceback" not in output
    assert "database is locked" not in output
