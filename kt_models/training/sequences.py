"""Logs as padded tensors, one row per learner: what networks are trained on and asked with."""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kt_models.data.log import ResponseLog
from kt_models.data.vocabulary import Vocabulary
from kt_models.training.easiness import easiness


@dataclass(frozen=True, slots=True)
class Batch:
    """B learners with up to T answers each, padded at the end; index 0 means unknown or padding.

    Attributes:
        item: [B, T] 1 + row in the vocabulary; 0 for an item never met in training.
        concepts: [B, T, M] 1 + concept, 0 where there is none.
        concept_set: [B, T] 1 + row of the vocabulary's sets; 0 for a set never met in training.
        difficulty: [B, T] easiness of the item as a centred logit; see
            `kt_models.training.easiness`.
        correct: [B, T] 0 to 1.
        gap: [B, T] seconds from the learner's last answer until the item was shown; 0 for the
            first and where times are unknown.
        elapsed: [B, T] seconds from shown to answered. It belongs to the answer: a prediction of
            this answer must not see it, those of later ones may.
        assisted: [B, T] 1 where hints were seen; belongs to the answer like `elapsed`.
        step: [B, T] place in the learner's whole history, from 0.
        mask: [B, T] True where there is an answer.
        scored: [B, T] True where there is one that training learns from; others before it are there
            for what they say of it.
        row: [B, T] row of the log; 0 in padding.
    """

    item: Tensor
    concepts: Tensor
    concept_set: Tensor
    difficulty: Tensor
    correct: Tensor
    gap: Tensor
    elapsed: Tensor
    assisted: Tensor
    step: Tensor
    mask: Tensor
    scored: Tensor
    row: Tensor

    def to(self, device: torch.device) -> "Batch":
        """Return the batch on another device."""
        fields = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return Batch(**{name: value.to(device) for name, value in fields.items()})

    def columns(self, first: int, last: int) -> "Batch":
        """Return the answers from column `first` to before `last`."""
        fields = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return Batch(**{name: value[:, first:last] for name, value in fields.items()})


@dataclass(frozen=True, slots=True)
class Sequences:
    """A log encoded for a vocabulary, still flat; shapes and meaning as in `Batch`, [R] each."""

    starts: NDArray[np.int64]
    item: NDArray[np.int64]
    concepts: NDArray[np.int64]
    concept_set: NDArray[np.int64]
    difficulty: NDArray[np.float32]
    correct: NDArray[np.float32]
    gap: NDArray[np.float32]
    elapsed: NDArray[np.float32]
    assisted: NDArray[np.float32]
    step: NDArray[np.int64]

    def batch(self, spans: NDArray[np.int64]) -> Batch:
        """Return the answers of spans.

        Args:
            spans: [B, 2] first answer and the one after the last, all of them scored; or [B, 3]
                with the first that is scored in between, as `windows` cuts them.
        """
        lengths = spans[:, -1] - spans[:, 0]
        places = spans[:, :1] + np.arange(max(int(lengths.max(initial=0)), 1))
        mask = places < spans[:, -1:]
        scored = mask & (places >= spans[:, -2, None])
        places = np.where(mask, places, 0)
        blank = len(self.item) == 0

        def gathered(values: NDArray[np.generic]) -> Tensor:
            if blank:
                return torch.zeros(*places.shape, *values.shape[1:], dtype=_torch_type(values))
            taken = values[places]
            taken[~mask] = 0
            return torch.from_numpy(taken)

        return Batch(
            **{
                f.name: gathered(getattr(self, f.name))
                for f in dataclasses.fields(self)
                if f.name != "starts"
            },
            mask=torch.from_numpy(mask),
            scored=torch.from_numpy(scored),
            row=torch.from_numpy(places),
        )

    def firsts(self, count: int) -> "Sequences":
        """Return the first `count` answers of every learner."""
        lengths = np.diff(self.starts)
        place = np.arange(len(self.item)) - np.repeat(self.starts[:-1], lengths)
        kept = {
            f.name: getattr(self, f.name)[place < count]
            for f in dataclasses.fields(self)
            if f.name != "starts"
        }
        starts = np.concatenate([[0], np.cumsum(np.minimum(lengths, count))])
        return Sequences(starts=starts, **kept)

    def whole(self) -> Batch:
        """Return all learners as one batch, in their order."""
        return self.batch(np.stack([self.starts[:-1], self.starts[1:]], axis=1))


def _torch_type(values: NDArray[np.generic]) -> torch.dtype:
    return torch.from_numpy(np.zeros(0, dtype=values.dtype)).dtype


def encode(
    log: ResponseLog,
    vocabulary: Vocabulary,
    *,
    in_training: bool = False,
    last_answered_at: NDArray[np.float64] | None = None,
    steps: NDArray[np.int64] | None = None,
) -> Sequences:
    """Return a log as a network of this vocabulary reads it.

    Args:
        log: aligned to the vocabulary, see `Vocabulary.align`.
        vocabulary: of the training log.
        in_training: whether the learners are those that the vocabulary's counts come from; each
            answer's difficulty then leaves that learner's own answers out, so that it does not
            give the answer away.
        last_answered_at: [L] epoch seconds of each learner's answer before this log; nan for none.
        steps: [L] answers of each learner before this log.
    """
    # A vocabulary names all that its log names, and a part of it was never met in training.
    items = _numbers(vocabulary.item_counts > 0, len(log.item_keys))
    sets = _numbers(vocabulary.set_counts > 0, len(log.concept_sets))
    concepts = _numbers(vocabulary.met_concepts, len(log.concept_keys))
    # Index -1, no concept, finds the 0 at the end.
    named = _narrowed(np.append(concepts, 0)[log.concept_sets], vocabulary.concept_sets.shape[1])
    before = np.zeros(len(log.learner_keys), np.int64) if steps is None else steps
    learner = log.learner
    return Sequences(
        starts=log.starts,
        item=items[log.item],
        concepts=named[log.concept_set],
        concept_set=sets[log.concept_set],
        difficulty=easiness(log, vocabulary, in_training=in_training).astype(np.float32),
        correct=log.correct.astype(np.float32),
        gap=_gaps(log, last_answered_at).astype(np.float32),
        elapsed=np.maximum(log.answered_at - log.shown_at, 0.0).astype(np.float32),
        assisted=log.assisted.astype(np.float32),
        step=np.arange(len(log)) - log.starts[learner] + before[learner],
    )


def encode_questions(
    log: ResponseLog,
    vocabulary: Vocabulary,
    *,
    last_answered_at: NDArray[np.float64],
    steps: NDArray[np.int64],
) -> Sequences:
    """Return a log as questions, each as if it alone came after the learner's last answer.

    Args:
        log: aligned to the vocabulary; what was answered and how long it took are not looked at.
        vocabulary: of the training log.
        last_answered_at: [L] epoch seconds of each learner's answer before; nan for none.
        steps: [L] answers of each learner before.
    """
    learner, unknown = log.learner, np.zeros(len(log), dtype=np.float32)
    gap = np.maximum(log.shown_at - last_answered_at[learner], 0.0)
    return dataclasses.replace(
        encode(log, vocabulary),
        correct=unknown,
        gap=np.where(np.isnan(gap), 0.0, gap).astype(np.float32),
        elapsed=unknown,
        assisted=unknown,
        step=steps[learner],
    )


def _narrowed(named: NDArray[np.int64], width: int) -> NDArray[np.int64]:
    """Return sets of at most so many concepts, those met in training first.

    An item that came after the training may carry more concepts than any that a network has seen;
    what it remembers of an answer has as many places as there were then.
    """
    if named.shape[1] <= width:
        return named
    order = np.argsort(named == 0, axis=1, kind="stable")
    return np.take_along_axis(named, order, axis=1)[:, :width]


def _numbers(met: NDArray[np.bool_], size: int) -> NDArray[np.int64]:
    """Return for each of `size` names its place and one, or 0 for one not met."""
    numbers = np.zeros(max(size, len(met)), dtype=np.int64)
    numbers[: len(met)] = np.where(met, np.arange(len(met)) + 1, 0)
    return numbers


def _gaps(log: ResponseLog, last_answered_at: NDArray[np.float64] | None) -> NDArray[np.float64]:
    if not len(log):
        return np.zeros(0)
    before = np.concatenate([[0.0], log.answered_at[:-1]])
    begun = log.starts[:-1] < log.starts[1:]
    firsts = log.starts[:-1][begun]
    before[firsts] = np.nan if last_answered_at is None else last_answered_at[begun]
    gaps = np.maximum(log.shown_at - before, 0.0)
    return np.where(np.isnan(gaps), 0.0, gaps)


def windows(starts: NDArray[np.int64], *, longest: int, context: int) -> NDArray[np.int64]:
    """Return [W, 3] spans that cut each learner's answers into pieces of at most `longest`.

    Each piece is the first answer that is read, the first that is scored and the one after the
    last. Every answer is scored once. For training only: an answer that is judged keeps its whole
    history.

    Args:
        starts: [L + 1] of the learners.
        longest: answers of a piece that are scored.
        context: answers at most that are read before them. Without any, a piece from mid-history
            would pass for a beginner's: what stands for "no answer yet" would be learnt from people
            with hundreds of answers behind them. 0 is that training, all pieces whole but the last.
    """
    pieces = [
        np.stack([np.maximum(cuts[:-1] - context, first), cuts[:-1], cuts[1:]], axis=1)
        for first, last in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True)
        if len(cuts := _cuts(first, last, longest=longest, even=context > 0)) > 1
    ]
    return np.concatenate(pieces) if pieces else np.empty((0, 3), dtype=np.int64)


def _cuts(first: int, last: int, *, longest: int, even: bool) -> NDArray[np.int64]:
    """Return where a history is cut, its end included.

    As few even pieces as will do each score at least half of `longest`. A remainder of ten answers
    would read as much context as a whole piece; batches are of like length and their loss is a
    mean, so such remainders would have steps of their own and each answer of them many times the
    weight of others.
    """
    if even:
        count = -((first - last) // longest)
        return first + (last - first) * np.arange(count + 1) // max(count, 1)
    return np.append(np.arange(first, last, longest), last)


def batches(
    sequences: Sequences,
    spans: NDArray[np.int64],
    *,
    positions: int,
    rng: np.random.Generator | None = None,
) -> Iterator[Batch]:
    """Yield batches of spans of like length, each of at most `positions` cells when padded.

    Args:
        sequences: the encoded log.
        spans: [W, 2] or [W, 3], see `Sequences.batch`.
        positions: cells per batch, learners times columns; one span may exceed it.
        rng: shuffles who is with whom and the order of batches; None keeps the order of length.
    """
    lengths = spans[:, -1] - spans[:, 0]
    # Noise of a tenth of the length mixes neighbours from epoch to epoch at little padding.
    noise = 1.0 if rng is None else rng.uniform(0.9, 1.1, len(spans))
    order = np.argsort(-lengths * noise, kind="stable")
    groups, group, widest = [], list[int](), 0
    for place in order.tolist():
        wide = max(widest, int(lengths[place]))
        if group and wide * (len(group) + 1) > positions:
            groups.append(group)
            group, wide = [], int(lengths[place])
        group.append(place)
        widest = wide
    if group:
        groups.append(group)
    turns = range(len(groups)) if rng is None else rng.permutation(len(groups)).tolist()
    for turn in turns:
        yield sequences.batch(spans[groups[turn]])
