"""The fit against an independent program: the package `mirt`, without priors on both sides."""

import mirt
import numpy as np
import pytest

from curriculum.irt.em import fit_em
from curriculum.irt.models import Priors
from curriculum.irt.responses import responses_of_matrix

SAT12_KEY = [
    *(1, 4, 5, 2, 3, 1, 2, 1, 3, 1, 2, 4, 2, 1, 5, 3),
    *(4, 4, 1, 4, 3, 3, 4, 1, 3, 5, 1, 3, 1, 5, 4, 5),
]


@pytest.mark.parametrize("name", ["mirt__SAT12", "psychotools__MathExam14W"])
def test_agrees_with_mirt(name, answers):
    if name == "mirt__SAT12":
        matrix = (answers(name, "Item.") == np.array(SAT12_KEY)).astype(float)
    else:
        matrix = answers(name, "item")
    ours = fit_em(
        responses_of_matrix(matrix), priors=Priors(difficulty_sd=50.0, log_discrimination_sd=10.0)
    )

    theirs = mirt.fit_mirt(matrix.astype(int), model="2PL")

    found = theirs.model.parameters
    slope, place = (np.ravel(found[name]) for name in ("discrimination", "difficulty"))
    assert np.corrcoef(ours.bank.discrimination, slope)[0, 1] >= 0.995
    # mirt holds difficulties within 6 logits: one item of SAT 12 lies at that edge there.
    inside = np.abs(place) < 5.99
    assert inside.mean() > 0.95
    assert np.corrcoef(ours.bank.difficulty[inside], place[inside])[0, 1] >= 0.995
    assert ours.log_likelihood >= theirs.log_likelihood - 0.5
