"""The last W answers of a learner as names, outcomes and times: what a stored state remembers.

Embeddings are looked up again. One history serves both ways of predicting: answers of a batch stand
behind the stored ones, and each question sees the W answers before it.
"""

import dataclasses
from dataclasses import dataclass

import torch
from torch import Tensor

from kt_models.training.sequences import Batch

# Fields of a batch that are not about one answer to one item.
NOT_KEPT = ("scored", "step", "row")
KEPT = tuple(f.name for f in dataclasses.fields(Batch) if f.name not in NOT_KEPT)
NAMES = frozenset({"item", "concepts", "concept_set"})


@dataclass(frozen=True, slots=True)
class History:
    """N consecutive answers of each of B learners, some of the first ones missing.

    Attributes:
        answers: [B, N] the answers; `mask` says which are there; `scored`, `step` and `row` mean
            nothing.
        clock: [B, N] float64 seconds at which each was given, 0 at the last answer stored.
        window: W, how many answers before a question are looked at.
        stored: whether N = W and all questions come after all answers; otherwise N = W + T and
            question t sees answers t to t + W - 1.
    """

    answers: Batch
    clock: Tensor
    window: int
    stored: bool

    def seen(self, values: Tensor) -> Tensor:
        """Return [B, T or 1, .., W] of values [B, N, ..]: those in sight of each question."""
        if self.stored:
            return values.movedim(1, -1)[:, None]
        return values.unfold(1, self.window, 1)[:, :-1]


def nothing(count: int, *, window: int, concepts: int, device: torch.device) -> dict[str, Tensor]:
    """Return what is stored of `count` learners without answers; `concepts` is M of a batch."""
    kinds = {name: torch.int32 if name in NAMES else torch.float32 for name in KEPT}
    kinds |= {"mask": torch.bool, "clock": torch.float32}
    sizes = dict.fromkeys(kinds, (count, window)) | {"concepts": (count, window, concepts)}
    return {
        name: torch.zeros(sizes[name], dtype=kind, device=device) for name, kind in kinds.items()
    }


def stored_size(*, window: int, concepts: int) -> int:
    """Return the bytes that `nothing` takes for one learner."""
    one = nothing(1, window=window, concepts=concepts, device=torch.device("cpu"))
    return sum(values.numel() * values.element_size() for values in one.values())


def stored_history(state: dict[str, Tensor]) -> History:
    """Return the stored answers, for questions asked after all of them.

    Places that none of the B learners has filled yet are left out.
    """
    filled = int(state["mask"].any(dim=0).sum())
    return _last(state, max(1, filled))


def _last(state: dict[str, Tensor], window: int) -> History:
    """Return the last answers stored; W of them are all."""
    own = {name: _widened(state[name][:, -window:]) for name in KEPT}
    unsaid = torch.zeros_like(own["item"])
    answers = Batch(**own, scored=own["mask"], step=unsaid, row=unsaid)
    return History(answers, state["clock"][:, -window:].double(), window, stored=True)


def joined(state: dict[str, Tensor], batch: Batch, *, window: int) -> History:
    """Return the stored answers with those of a batch behind them."""
    before = _last(state, window)
    passed = (batch.gap.double() + batch.elapsed.double()).cumsum(dim=1)
    fields = {
        f.name: torch.cat([getattr(before.answers, f.name), getattr(batch, f.name)], dim=1)
        for f in dataclasses.fields(Batch)
    }
    clock = torch.cat([before.clock, passed], dim=1)
    return History(Batch(**fields), clock, window, stored=False)


def stored_after(history: History, batch: Batch) -> dict[str, Tensor]:
    """Return what is stored once the batch's answers, 0 to T of each learner, have been given."""
    lengths = batch.mask.sum(dim=1)
    places = lengths[:, None] + torch.arange(history.window, device=lengths.device)
    kept = {}
    for name in KEPT:
        values: Tensor = getattr(history.answers, name)
        whole = places if values.dim() == 2 else places[..., None].expand(-1, -1, values.shape[2])
        found = values.gather(1, whole)
        kept[name] = found.to(torch.int32) if name in NAMES else found
    clock = history.clock.gather(1, places)
    # Ages, not moments: seconds since an epoch do not fit a float32.
    kept["clock"] = (clock - clock[:, -1:]).float()
    return kept


def _widened(values: Tensor) -> Tensor:
    return values.long() if values.dtype == torch.int32 else values
