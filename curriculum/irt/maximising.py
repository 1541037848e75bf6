"""The maximisation step of EM: item parameters from the expected counts, by Fisher scoring."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curriculum.irt.curves import log_chances, sigmoid
from curriculum.irt.models import ItemModel, Priors
from curriculum.irt.parameters import ItemParameters
from curriculum.irt.population import ability_points
from curriculum.irt.starting import Start

_STEPS = 3
# A step that went too far is halved, and in the end not made.
_SHRINKS = (0.5, 0.5, 0.5, 0.5, 0.5, 0.0)
_LONGEST_STEP = 1.0
# The objective's own rounding, per expected answer.
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class _Scores:
    """[I] gradients and informations of log discrimination (slope) and difficulty (place)."""

    slope: NDArray[np.float64]
    place: NDArray[np.float64]
    slope_slope: NDArray[np.float64]
    place_place: NDArray[np.float64]
    slope_place: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Maximiser:
    """Raises the expected log posterior of the items' parameters.

    Attributes:
        model: 1PL, 2PL or 3PL.
        priors: of difficulty and log discrimination.
        begin: what may move, and the guessing that does not.
    """

    model: ItemModel
    priors: Priors
    begin: Start

    def improve(
        self, bank: ItemParameters, right: NDArray[np.float64], wrong: NDArray[np.float64]
    ) -> ItemParameters:
        """Return a bank under which the expected counts are more probable, never less.

        Args:
            bank: I items.
            right: [I, Q] expected right answers at each of `ability_points`.
            wrong: [I, Q] expected wrong answers.
        """
        value = self._objective(bank, right, wrong)
        room = _ROUNDING * (1.0 + right.sum(axis=1) + wrong.sum(axis=1))
        for _ in range(_STEPS):
            by_slope, by_place = self._step(bank, right, wrong)
            new = _moved(bank, by_slope, by_place)
            now = self._objective(new, right, wrong)
            for shrink in _SHRINKS:
                worse = self._worse(now, value - room)
                if not worse.any():
                    break
                by_slope, by_place = (np.where(worse, x * shrink, x) for x in (by_slope, by_place))
                new = _moved(bank, by_slope, by_place)
                now = self._objective(new, right, wrong)
            bank, value = new, now
        return bank

    def _worse(self, now: NDArray[np.float64], before: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return [I] which steps went too far; one slope moves all items, so they go together."""
        if self.model is ItemModel.ONE:
            return np.full(len(now), now.sum() < before.sum())
        return np.asarray(now < before)

    def _objective(
        self, bank: ItemParameters, right: NDArray[np.float64], wrong: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        log_right, log_wrong = log_chances(
            ability_points(),
            difficulty=bank.difficulty,
            discrimination=bank.discrimination,
            guessing=bank.guessing,
        )
        told = (right * log_right + wrong * log_wrong).sum(axis=1)
        told -= 0.5 * (bank.difficulty / self.priors.difficulty_sd) ** 2
        prior = 0.5 * (np.log(bank.discrimination) / self.priors.log_discrimination_sd) ** 2
        return np.asarray(told - (prior / len(bank) if self.model is ItemModel.ONE else prior))

    def _step(
        self, bank: ItemParameters, right: NDArray[np.float64], wrong: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the change of log discrimination and difficulty, at most 1 each."""
        scores, slope = _scores(bank, right, wrong), np.log(bank.discrimination)
        free_slope, free_place = self.begin.free_slope, self.begin.free_place
        place_tight = self.priors.difficulty_sd**-2
        slope_tight = self.priors.log_discrimination_sd**-2
        by_place = np.where(free_place, scores.place - bank.difficulty * place_tight, 0.0)
        place_place = scores.place_place + place_tight
        mixed = np.where(free_place, scores.slope_place, 0.0)
        if self.model is ItemModel.ONE:
            by_slope = scores.slope.sum() - slope[0] * slope_tight
            slope_slope = scores.slope_slope.sum() + slope_tight
            # The difficulties are eliminated first: the rest is one equation.
            rest = slope_slope - (mixed**2 / place_place).sum()
            move = (by_slope - (mixed * by_place / place_place).sum()) / rest
            move_slope = np.full(len(bank), float(move) if free_slope.any() else 0.0)
        else:
            by_slope = scores.slope - slope * slope_tight
            slope_slope = scores.slope_slope + slope_tight
            room = slope_slope * place_place - mixed**2
            move_slope = (place_place * by_slope - mixed * by_place) / room
            move_slope = np.where(free_slope, move_slope, 0.0)
        move_slope = np.clip(move_slope, -_LONGEST_STEP, _LONGEST_STEP)
        move_place = np.where(free_place, (by_place - mixed * move_slope) / place_place, 0.0)
        return move_slope, np.clip(move_place, -_LONGEST_STEP, _LONGEST_STEP)


def _moved(
    bank: ItemParameters, by_slope: NDArray[np.float64], by_place: NDArray[np.float64]
) -> ItemParameters:
    return ItemParameters(
        items=bank.items,
        difficulty=bank.difficulty + by_place,
        discrimination=bank.discrimination * np.exp(by_slope),
        guessing=bank.guessing,
    )


def _scores(
    bank: ItemParameters, right: NDArray[np.float64], wrong: NDArray[np.float64]
) -> _Scores:
    a, chance = bank.discrimination[:, None], bank.guessing[:, None]
    z = a * (ability_points() - bank.difficulty[:, None])
    known = sigmoid(z)
    # d log P / dz, which is 1 - P without guessing; d log (1 - P) / dz is -known.
    along = (1.0 - chance) * known * sigmoid(-z) / (chance + (1.0 - chance) * known)
    score = right * along - wrong * known
    weight = (right + wrong) * along * known
    return _Scores(
        slope=(score * z).sum(axis=1),
        place=-a[:, 0] * score.sum(axis=1),
        slope_slope=(weight * z**2).sum(axis=1),
        place_place=a[:, 0] ** 2 * weight.sum(axis=1),
        slope_place=-a[:, 0] * (weight * z).sum(axis=1),
    )
