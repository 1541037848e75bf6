"""Which earlier answers CAKT looks at: the k most recent ones with the same concept."""

import torch
from torch import Tensor


def recent_same_concept(
    *,
    concept: Tensor,
    known: Tensor,
    asked: Tensor,
    before: Tensor,
    k: int,
    window: int,
) -> Tensor:
    """Return [B, Q, k] places in the history, oldest first, -1 in front where there are fewer.

    One sort and one binary search for all questions, so that the cost is that of sorting, not of
    comparing every question with every answer.

    Args:
        concept: [B, S] int64 concept of each answer of the history, 0 where unknown; an unknown
            concept is like no other, itself included.
        known: [B, S] bool, False where the history has no answer.
        asked: [B, Q] int64 concept that each question looks for.
        before: [B, Q] int64; only places smaller than this one count.
        k: how many places.
        window: only places from `before` - window on count.
    """
    rows, places = concept.shape
    row = torch.arange(rows, device=concept.device)[:, None]
    most = int(torch.maximum(concept.amax(), asked.amax())) + 1 if concept.numel() else 1
    # One number orders by learner, then concept, then place.
    code = ((row * most + concept) * (places + 1)) + torch.arange(places, device=concept.device)
    codes = code[known].sort().values
    base = (row * most + asked) * (places + 1)
    end = torch.searchsorted(codes, base + before)
    pick = end[..., None] + torch.arange(-k, 0, device=concept.device)
    padded = torch.nn.functional.pad(codes, (0, 1), value=-1)
    found = padded[pick.clamp(0, len(codes))] - base[..., None]
    lowest = (before - window).clamp(min=0)[..., None]
    valid = (pick >= 0) & (found >= lowest) & (asked > 0)[..., None]
    return torch.where(valid, found, -1)
