"""How hard items are for an artificial crowd: models of varying ability in the learners' place.

After arXiv:2408.05326, where language models and their early checkpoints answer and their answers
are calibrated. The outcome is a prior of items that nobody has answered, and never a calibration:
machines find other things hard than people do. How much it is worth for a course's items is learnt
from those that are known (`curriculum.irt.item_priors`).
"""

import numpy as np
from numpy.typing import NDArray

from curriculum.irt.em import fit_em
from curriculum.irt.errors import ImpossibleSetting
from curriculum.irt.models import ItemModel
from curriculum.irt.responses import responses_of_matrix

# Fewer say how good they are, and not how hard items are.
LEAST_RESPONDENTS = 5


def calibrate_crowd(answers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return [I] difficulties, in logits of the crowd's own scale; nan where it gave no answer.

    A 1PL by the code that calibrates learners' answers: a crowd is too small for more.

    Args:
        answers: [M, I] of M respondents: 1 right, 0 wrong, nan not answered.

    Raises:
        ImpossibleSetting: fewer than `LEAST_RESPONDENTS`.
        ImpossibleResponse: a value is none of the three.
    """
    respondents = len(answers)
    if respondents < LEAST_RESPONDENTS:
        raise ImpossibleSetting(
            f"A crowd of {respondents} tells no difficulty; it takes {LEAST_RESPONDENTS}."
        )
    seen = np.isfinite(answers).any(axis=0)
    if not seen.any():
        return np.full(answers.shape[1], np.nan)
    found = fit_em(responses_of_matrix(answers), model=ItemModel.ONE)
    return np.where(seen, found.bank.difficulty, np.nan)
