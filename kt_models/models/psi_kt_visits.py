"""When each concept was last practised, for all answers of a batch at once.

The trick that makes training parallel: what a learner last showed of concept k before answer t is
read from a table by index, so nothing is folded answer by answer.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from kt_models.models.psi_kt_dynamics import Gaussian
from kt_models.training.sequences import Batch

DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Visits:
    """Where concepts were practised in B sequences of T answers.

    Attributes:
        last: [B, T + 1, K + 1] column of the last answer on each concept among the first t answers;
            -1 for none.
        right: [B, T, M] earlier and present credit on the answer's own concepts.
        wrong: [B, T, M] the same for what was wrong.
        answered: [B, T + 1] days since the sequence began, after the first t answers.
        shown: [B, T] days since the sequence began when the question is shown.
    """

    last: Tensor
    right: Tensor
    wrong: Tensor
    answered: Tensor
    shown: Tensor


@dataclass(frozen=True, slots=True)
class Recognised:
    """What the recognition network makes of B sequences of T answers.

    Attributes:
        traits: [B, T + 1, 4] q(s) after the first t answers.
        knowledge: [B, T, M] q(z) of each answer's own concepts, after it.
        table: [B, T + 1, K + 1] q(z) of each concept at its last answer among the first t.
        met: [B, T + 1, K + 1] 1 where there is such an answer.
        carried: [B, T + 1, K + 1] what each concept takes over from its prerequisites.
        visits: when concepts were practised.
    """

    traits: Gaussian
    knowledge: Gaussian
    table: Gaussian
    met: Tensor
    carried: Tensor
    visits: Visits


def find_visits(batch: Batch, *, concepts: int) -> Visits:
    """Return the visits of a batch with a vocabulary of K concepts."""
    columns = batch.item.shape[1]
    place = torch.arange(columns, device=batch.item.device)
    came = batch.mask[:, :, None].expand_as(batch.concepts) & (batch.concepts > 0)
    met = torch.zeros(*batch.item.shape, concepts + 1, device=batch.item.device)
    met = met.scatter(2, batch.concepts, came.float())
    # A padded place may have written over nothing but place 0.
    met[:, :, 0] = 0.0
    last = torch.where(met > 0, place[None, :, None], -1).cummax(dim=1).values
    right = (met * batch.correct[..., None]).cumsum(dim=1)
    wrong = (met * (1.0 - batch.correct[..., None])).cumsum(dim=1)
    passed = ((batch.gap + batch.elapsed).double() * batch.mask / DAY).cumsum(dim=1)
    answered = torch.nn.functional.pad(passed, (1, 0))
    return Visits(
        last=torch.nn.functional.pad(last, (0, 0, 1, 0), value=-1),
        right=torch.gather(right, 2, batch.concepts),
        wrong=torch.gather(wrong, 2, batch.concepts),
        answered=answered,
        shown=answered[:, :-1] + batch.gap.double() / DAY,
    )


def held(values: Tensor, batch: Batch, visits: Visits) -> Tensor:
    """Return [B, T + 1, K + 1] the value of each concept at its last answer, 0 where there is none.

    Args:
        values: [B, T, M] of each answer's own concepts.
        batch: the answers.
        visits: of the batch.
    """
    table = values.new_zeros(*values.shape[:2], visits.last.shape[2])
    table = table.scatter(2, batch.concepts, values)
    return torch.gather(table, 1, visits.last.clamp(min=0)) * (visits.last >= 0)


def ages(visits: Visits) -> Tensor:
    """Return [B, T + 1, K + 1] days from each concept's last answer to the end of the first t."""
    size = visits.last.shape[2]
    end = visits.answered[:, :, None]
    begun = torch.gather(end.expand(-1, -1, size), 1, visits.last + 1)
    return (end - begun).float() * (visits.last >= 0)


def steps(batch: Batch) -> Tensor:
    """Return [B, T] the column of each answer."""
    columns = torch.arange(batch.item.shape[1], device=batch.item.device)
    return columns.expand_as(batch.item)


def shares(concepts: Tensor) -> Tensor:
    """Return [.., M] what each concept counts in the logit; an item without one counts as one."""
    present = (concepts > 0).float()
    alone = (present.sum(dim=-1, keepdim=True) == 0).float()
    present = torch.cat([present[..., :1] + alone, present[..., 1:]], dim=-1)
    return present / present.sum(dim=-1, keepdim=True)


def per_concept(traits: Gaussian, many: int) -> Gaussian:
    """Return [.., M, 4] traits [.., 4], repeated for each of M concepts."""
    return Gaussian(
        traits.mean[..., None, :].expand(*traits.mean.shape[:-1], many, 4),
        traits.var[..., None, :].expand(*traits.var.shape[:-1], many, 4),
    )
