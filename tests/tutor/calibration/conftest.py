"""A calibrated course, made anew for every test that asks for it."""

import sys
import types

import numpy as np
import pytest

from curriculum.irt.em import fit_em
from tests.factories import AT
from tests.tutor.calibration.logs import a_course, answer_all
from tutor.calibration import engine, running

EM = engine.Settings(engine=engine.Engine.EM)


def column(run, name):
    """What a run says of each item version, nan where it is nothing."""
    values = run.items.order_by("version").values_list(name, flat=True)
    return np.array(list(values), dtype=float)


@pytest.fixture(autouse=True)
def _quick_twin(request):
    """Let EM be its own witness: py-irt takes seconds, and is tested in tests/curriculum/irt."""
    # Not the test's own monkeypatch, which some tests undo.
    with pytest.MonkeyPatch.context() as patch:
        if request.node.get_closest_marker("real_twin") is None:
            module = types.SimpleNamespace(fit_py_irt=fit_em)
            patch.setitem(sys.modules, "curriculum.irt.py_irt_model", module)
        yield


@pytest.fixture
def physics(organisation):
    """24 items that 220 learners answered, each by everybody."""
    course = a_course(organisation=organisation)
    answer_all(course)
    return course


@pytest.fixture
def run(physics):
    """Its first calibration."""
    return running.calibrate_course(course=physics, at=AT, settings=EM)
