"""What the answers in a window say about a question: figures that need no training."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from kt_models.models.cakt_item_window import History

# Half-lives, in answers, over which a learner's surplus is averaged.
HALF_LIVES = (1.0, 3.0, 10.0, 30.0)
AVERAGES = len(HALF_LIVES) + 1
# Answers exactly as expected that every average begins with.
PRIOR = 2.0
PER_ANSWER, PER_RECALL = 6, 4


@dataclass(frozen=True, slots=True)
class Recall:
    """The last k answers in sight of a question that match it, the newest first.

    Attributes:
        place: [B, T, k] where they stand in the history; 0 where there is none.
        there: [B, T, k] whether there is one.
        lag: [B, T, k] answers since, 1 for the very last; 0 where there is none.
        count: [B, T] matching answers in sight.
        surplus: [B, T] mean of their surplus, shrunk to 0.
    """

    place: Tensor
    there: Tensor
    lag: Tensor
    count: Tensor
    surplus: Tensor


def same_item(history: History, asked: Tensor) -> Tensor:
    """Return [B, T, W] whether the answers in sight were to the item asked [B, T]."""
    return history.seen(history.answers.item.int()) == _named(asked)[..., None]


def shared_concept(history: History, asked: Tensor) -> Tensor:
    """Return [B, T, W] whether the answers in sight share a concept with the question [B, T, M]."""
    own, answered = _named(asked[..., : _most(asked)]), history.answers.concepts
    # A column by itself lies in one piece, which comparing is quick with.
    columns = answered.int().unbind(2)[: _most(answered)]
    match = torch.zeros(*asked.shape[:2], history.window, dtype=torch.bool, device=asked.device)
    for column in columns:
        theirs = history.seen(column.contiguous())
        for mine in own.unbind(2):
            match |= theirs == mine[..., None]
    return match


def _named(ids: Tensor) -> Tensor:
    # 0 names nothing, so no two of them are the same.
    return torch.where(ids > 0, ids, -1).int()


def _most(concepts: Tensor) -> int:
    """Return how many concepts an item here has at most; those behind are padding."""
    return int((concepts > 0).flatten(0, 1).any(dim=0).sum())


def recall(history: History, match: Tensor, surplus: Tensor, *, size: int) -> Recall:
    """Return the last k matches.

    Args:
        history: the answers.
        match: [B, T, W] which of those in sight match.
        surplus: [B, N] outcome less what was expected of anybody.
        size: k.
    """
    learners, questions, window = match.shape
    learner, question, found = torch.nonzero(match, as_tuple=True)
    row = learner * questions + question
    count = torch.bincount(row, minlength=learners * questions)
    # Matches stand row by row, oldest first: counted from each row's end, the newest is 1.
    nth = count.cumsum(0)[row] - torch.arange(len(row), device=row.device)
    kept = nth <= size
    learner, question, found = learner[kept], question[kept], found[kept]
    cell = (learner, question, nth[kept] - 1)
    place = torch.zeros(learners, questions, size, dtype=torch.int64, device=match.device)
    there = torch.zeros(place.shape, dtype=torch.bool, device=match.device)
    place[cell] = found if history.stored else found + question
    there[cell] = True
    lag = torch.zeros(place.shape, device=match.device)
    lag[cell] = (window - found).float()
    total = (history.seen(surplus) * match).sum(dim=2)
    many = count.view(learners, questions).float()
    return Recall(place, there, lag, many, total / (many + PRIOR))


def recalled_figures(found: Recall, history: History, surplus: Tensor, shown: Tensor) -> Tensor:
    """Return [B, T, k * PER_ANSWER + PER_RECALL] figures, each of the order of 1.

    Of each answer: that it is there, its outcome, its surplus, log of answers since, log of seconds
    since, whether hints were seen. Of all: log of their number, their mean surplus, that there is
    none, log of the time that the newest took.

    Args:
        found: the answers recalled.
        history: where they stand.
        surplus: [B, N] outcome less what was expected of anybody.
        shown: [B, T] float64 seconds when the questions were shown, by the history's clock.
    """
    flat, there = found.place.flatten(1), found.there.float()

    def taken(values: Tensor) -> Tensor:
        return values.gather(1, flat).view(found.place.shape)

    answers = history.answers
    age = (shown[..., None] - taken(history.clock)).clamp(min=0.0).float()
    each = torch.stack(
        [
            there,
            (2.0 * taken(answers.correct) - 1.0) * there,
            taken(surplus) * there,
            torch.log1p(found.lag) * there / 3.0,
            torch.log1p(age) * there / 10.0,
            taken(answers.assisted) * there,
        ],
        dim=3,
    )
    whole = [
        torch.log1p(found.count) / 3.0,
        found.surplus,
        1.0 - there[..., 0],
        torch.log1p(taken(answers.elapsed)[..., 0]) * there[..., 0] / 5.0,
    ]
    return torch.cat([each.flatten(2), torch.stack(whole, dim=2)], dim=2)


def running_surplus(history: History, surplus: Tensor) -> Tensor:
    """Return [B, T or 1, AVERAGES] of the answers in sight: per half-life, and over all alike.

    Args:
        history: the answers.
        surplus: [B, N] outcome less what was expected of anybody.
    """
    lags = torch.arange(history.window - 1, -1, -1, device=surplus.device, dtype=torch.float32)
    alike = torch.ones_like(lags)
    weights = torch.stack([*(0.5 ** (lags / half) for half in HALF_LIVES), alike])[:, None]
    there = history.answers.mask.float()
    sums = functional.conv1d((surplus * there)[:, None], weights)
    mass = functional.conv1d(there[:, None], weights)
    averages = (sums / (mass + PRIOR)).transpose(1, 2)
    return averages if history.stored else averages[:, :-1]


def attended(history: History, query: Tensor, keys: Tensor, values: Tensor, bias: Tensor) -> Tensor:
    """Return [B, T, D] the values in sight, weighted by softmax(query . key / sqrt(A) + bias).

    Questions are taken W at a time, so that memory grows with T * W and not with T * T.

    Args:
        history: the answers.
        query: [B, T, A] of the questions.
        keys: [B, N, A] of the answers.
        values: [B, N, D] of the answers.
        bias: [B, T, W] of each answer in sight, -inf where there is none.
    """
    scale, window = query.shape[2] ** -0.5, history.window
    if history.stored:
        return _weights(query @ keys.transpose(1, 2) * scale + bias) @ values
    parts = []
    for first in range(0, query.shape[1], window):
        mine = query[:, first : first + window]
        near = slice(first, first + mine.shape[1] + window - 1)
        scores = mine @ keys[:, near].transpose(1, 2) * scale
        own = torch.arange(mine.shape[1], device=query.device)[:, None]
        sight = (own + torch.arange(window, device=query.device)).expand(len(mine), -1, -1)
        weights = _weights(scores.gather(2, sight) + bias[:, first : first + window])
        parts.append(torch.zeros_like(scores).scatter(2, sight, weights) @ values[:, near])
    return torch.cat(parts, dim=1)


def _weights(scores: Tensor) -> Tensor:
    # A score of 0 for attending to nothing: with no answer in sight the result is zero.
    none = scores.new_zeros(*scores.shape[:2], 1)
    return torch.softmax(torch.cat([scores, none], dim=2), dim=2)[..., :-1]
