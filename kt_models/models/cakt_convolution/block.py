"""Residual blocks of 3-D convolutions on the CPU: compiled passes behind autograd.

The same sums as `ResidualBlock` with torch's own layers, which is what they are tested against;
several times as fast, because torch has no fast convolution of so few channels.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from kt_models.models.cakt_convolution import backward, forward
from kt_models.models.cakt_convolution.lanes import LANES


def to_lanes(embedded: Tensor, side: int) -> tuple[Tensor, Tensor]:
    """Return [n, 1, k, side, side, 16] images and the [n, 16] mask, of [P, k, E]."""
    count, depth, _ = embedded.shape
    chunks = -(-count // LANES)
    padded = functional.pad(embedded, (0, 0, 0, 0, 0, chunks * LANES - count))
    images = padded.view(chunks, LANES, depth, side, side).permute(0, 2, 3, 4, 1)
    mask = (torch.arange(chunks * LANES) < count).float().view(chunks, LANES)
    return images[:, None].contiguous(), mask


def from_lanes(values: Tensor, count: int) -> Tensor:
    """Return [P, E] of [n, side, side, 16]."""
    return values.permute(0, 3, 1, 2).flatten(2).flatten(0, 1)[:count]


def squeezed(means: Tensor, down: Tensor, up: Tensor) -> Tensor:
    """Return [n, O, D, 16] weights of the slices, of their means and the two maps over depth."""
    hidden = functional.relu(torch.einsum("ncdl,hd->nchl", means, down))
    return torch.sigmoid(torch.einsum("nchl,dh->ncdl", hidden, up))


class Normalised:
    """One batch normalisation: values become scale * value + shift, per channel."""

    def __init__(self, norm: Any, sums: Tensor | None, count: float) -> None:
        """Take the batch's sums [O] of values and squares (or None for the running statistics)."""
        self.gain = norm.weight.detach()
        self.count = count
        if sums is None:
            self.mean, variance = norm.running_mean.double(), norm.running_var.double()
            self.count = float("inf")
        else:
            total, squares = sums
            self.mean = total / count
            variance = (squares / count - self.mean**2).clamp(min=0.0)
            self._remember(norm, variance)
        self.root = torch.rsqrt(variance + norm.eps)
        self.scale = _float(self.gain * self.root)
        self.shift = _float(norm.bias.detach() - self.gain * self.root * self.mean)

    def _remember(self, norm: Any, variance: Tensor) -> None:
        share = norm.momentum or 0.0
        unbiased = variance * self.count / max(self.count - 1.0, 1.0)
        with torch.no_grad():
            norm.running_mean.lerp_(self.mean.float(), share)
            norm.running_var.lerp_(unbiased.float(), share)
            norm.num_batches_tracked.add_(1)

    def back(self, g: Tensor, gy: Tensor) -> tuple[Tensor, Tensor, tuple[Any, Any, Any]]:
        """Return the gradients of gain and bias, and (p, q, o): dy = p g + q y + o.

        Args:
            g: [O] sum of the gradient of the normalised values.
            gy: [O] sum of the gradient times the value before normalising.
        """
        of_gain = self.root * (gy - self.mean * g)
        p = self.gain * self.root
        q = -p * self.root * of_gain / self.count
        o = -p * g / self.count - q * self.mean
        return of_gain.float(), g.float(), (_float(p), _float(q), _float(o))


class CompiledBlock(torch.autograd.Function):
    """A residual block on [n, I, D, H, H, 16]; see `forward` and `backward`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, mask: Tensor, block: Any, *weights: Tensor) -> Tensor:
        """Return [n, O, D, H, H, 16]; `weights` are those of `block`, for autograd to see."""
        chunks, channels, depth, side = x.shape[:4]
        outputs = block.first.out_channels
        shape = (channels, depth, side)
        real = float(mask.sum()) * depth * side * side
        flat_x, flat_mask, past = _flat(x), _flat(mask), _flat(block.past.weight)
        y1, y2, z = (x.new_empty(chunks, outputs, *x.shape[2:]) for _ in range(3))
        sums = x.new_empty(chunks, outputs, 4, LANES)
        w1, w2 = _by_tap(block.first.weight), _by_tap(block.second.weight)
        _over(
            chunks,
            lambda a, b, _: forward.through_first(
                a, b, flat_x, w1, past, _flat(y1), _flat(sums), *shape
            ),
        )
        totals = sums.double().sum(dim=(0, 3)).T if block.training else (None, None, None, None)
        first = Normalised(block.first_norm, _pair(totals, 0), real)
        past_norm = Normalised(block.past_norm, _pair(totals, 2), real)
        by_slice = x.new_empty(chunks, outputs, depth, 2, LANES)
        _over(
            chunks,
            lambda a, b, _: forward.through_second(
                a,
                b,
                _flat(y1),
                flat_mask,
                first.scale,
                first.shift,
                w2,
                _flat(y2),
                _flat(by_slice),
                depth,
                side,
            ),
        )
        slice_totals = by_slice.double().sum(dim=(0, 2, 4)).T if block.training else (None, None)
        second = Normalised(block.second_norm, _pair(slice_totals, 0), real)
        scale, shift = (torch.from_numpy(v)[:, None, None] for v in (second.scale, second.shift))
        means = by_slice[:, :, :, 0] / (side * side) * scale + shift
        maps = weights[-2:] if block.squeeze is not None else None
        slices = torch.ones_like(means) if maps is None else squeezed(means, *maps)
        _over(
            chunks,
            lambda a, b, _: forward.through_join(
                a,
                b,
                flat_x,
                flat_mask,
                past,
                _flat(y2),
                second.scale,
                second.shift,
                _flat(slices),
                past_norm.scale,
                past_norm.shift,
                _flat(z),
                *shape,
            ),
        )
        ctx.save_for_backward(x, mask, y1, y2, z, means, slices, by_slice[:, :, :, 0], *weights)
        ctx.norms, ctx.squeeze = (first, second, past_norm), maps is not None
        return z

    @staticmethod
    def backward(ctx: Any, gz: Tensor) -> Any:
        """Return the gradients of x and of the weights, in their order."""
        x, mask, y1, y2, z, means, slices, y2_sums, *weights = ctx.saved_tensors
        w1, w2, past = weights[:3]
        first, second, past_norm = ctx.norms
        chunks, channels, depth, side = x.shape[:4]
        outputs, area = w1.shape[0], side * side
        shape = (channels, depth, side)
        gz = gz.contiguous()
        sums = x.new_empty(chunks, outputs, depth, 3, LANES)
        _over(
            chunks,
            lambda a, b, _: backward.back_sums(
                a, b, _flat(gz), _flat(z), _flat(x), _flat(past), _flat(y2), _flat(sums), *shape
            ),
        )
        g, gy, gp = sums.unbind(dim=3)
        scale, shift = (torch.from_numpy(v)[:, None, None] for v in (second.scale, second.shift))
        of_maps, of_means = _back_through_squeeze(ctx, weights, means, gy * scale + g * shift)
        of_past = past_norm.back(*(v.double().sum(dim=(0, 2, 3)) for v in (g, gp)))
        of_second = second.back(
            (g * slices + of_means).double().sum(dim=(0, 2, 3)),
            (gy * slices + of_means / area * y2_sums).double().sum(dim=(0, 2, 3)),
        )
        workers = _workers(chunks)
        ga, gx = torch.empty_like(y1), torch.empty_like(x)
        w2_sums = x.new_zeros(workers, outputs, 3, 3, outputs, 3, LANES)
        past_sums = x.new_zeros(workers, outputs, channels, LANES)
        sums = x.new_empty(chunks, outputs, 2, LANES)
        constant, turned = _flat(of_means / area), _turned(w2)
        _over(
            chunks,
            lambda a, b, k: backward.back_second(
                a,
                b,
                _flat(gz),
                _flat(z),
                _flat(x),
                _flat(past),
                _flat(y1),
                _flat(y2),
                _flat(mask),
                first.scale,
                first.shift,
                turned,
                _flat(slices),
                constant,
                *of_second[2],
                *of_past[2],
                _flat(ga),
                _flat(gx),
                _flat(w2_sums[k]),
                _flat(past_sums[k]),
                _flat(sums),
                *shape,
            ),
        )
        of_first = first.back(*sums.double().sum(dim=(0, 3)).T)
        w1_sums = x.new_zeros(workers, channels, 3, 3, outputs, 3, LANES)
        turned_first = _turned(w1)
        _over(
            chunks,
            lambda a, b, k: backward.back_first(
                a,
                b,
                _flat(x),
                _flat(ga),
                _flat(y1),
                *of_first[2],
                turned_first,
                _flat(gx),
                _flat(w1_sums[k]),
                *shape,
            ),
        )
        grads = [_from_taps(w1_sums), _from_taps(w2_sums), past_sums.sum(dim=(0, 3)).view_as(past)]
        for of_norm in (of_first, of_second, of_past):
            grads += of_norm[:2]
        return gx, None, None, *grads, *of_maps


def compiled_block(block: Any, x: Tensor, mask: Tensor) -> Tensor:
    """Return what a `ResidualBlock` makes of [n, I, D, H, H, 16]."""
    weights = [block.first.weight, block.second.weight, block.past.weight]
    for norm in (block.first_norm, block.second_norm, block.past_norm):
        weights += [norm.weight, norm.bias]
    if block.squeeze is not None:
        weights += [block.squeeze.squeeze.weight, block.squeeze.excite.weight]
    result: Tensor = CompiledBlock.apply(x, mask, block, *weights)  # type: ignore[no-untyped-call]
    return result


def _back_through_squeeze(
    ctx: Any, weights: list[Tensor], means: Tensor, of_slices: Tensor
) -> tuple[list[Tensor], Tensor]:
    """Return the gradients of the two maps and of the slices' means."""
    if not ctx.squeeze:
        return [], torch.zeros_like(means)
    with torch.enable_grad():
        leaves = [v.detach().requires_grad_() for v in (means, *weights[-2:])]
        of_means, *of_maps = torch.autograd.grad(squeezed(*leaves), leaves, of_slices)
    return of_maps, of_means


def _pair(totals: Any, first: int) -> Any:
    return None if totals[first] is None else (totals[first], totals[first + 1])


def _flat(tensor: Tensor) -> Any:
    return tensor.detach().reshape(-1).numpy()


def _float(tensor: Tensor) -> Any:
    return np.ascontiguousarray(tensor.float().numpy())


def _by_tap(weight: Tensor) -> Any:
    """Return [I, 3, 3, 3, O] flat, as the passes read it."""
    return _flat(weight.detach().permute(1, 2, 3, 4, 0).contiguous())


def _turned(weight: Tensor) -> Any:
    """Return the weight that carries a gradient back: taps reversed, channels exchanged."""
    return _flat(weight.detach().flip(2, 3, 4).permute(0, 2, 3, 4, 1).contiguous())


def _from_taps(sums: Tensor) -> Tensor:
    """Return [O, I, 3, 3, 3] of [workers, I, 3, 3, O, 3, 16]."""
    return sums.sum(dim=(0, 6)).permute(3, 0, 1, 2, 4).contiguous()


def _workers(chunks: int) -> int:
    return max(min(torch.get_num_threads(), chunks), 1)


def _over(chunks: int, work: Callable[[int, int, int], object]) -> None:
    """Call work(first, last, worker) for all chunks, on as many threads as torch may use."""
    workers = _workers(chunks)
    if workers == 1:
        work(0, chunks, 0)
        return
    cuts = [chunks * k // workers for k in range(workers + 1)]
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(work, cuts[:-1], cuts[1:], range(workers)))
