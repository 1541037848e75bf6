"""The passes forward through a residual block, over chunks of sixteen positions.

Shapes: n chunks, I and O channels, depth D, height and width H. Arrays of activations are flat
float32 of [n, channels, D, H, H, 16]; per slice means [n, O, D, 16], per channel [O]. A pass reads
a chunk, keeps what is in between in buffers that fit the cache, and writes what a later pass needs:
batch normalisation needs sums over all chunks before it can go on, so there are three passes each
way. `mask` [n, 16] is 1 for positions and 0 for the lanes that fill the last chunk up.
"""

# Compiled code: its types are those of the call, and arrays come one by one, which is what is fast.
# ruff: noqa: ANN001, ANN201, PLR0913, PLR0917
# mypy: disable-error-code="no-untyped-def"

import numpy as np

from kt_models.models.cakt_convolution.images import convolved, pad, pad_active, past_value
from kt_models.models.cakt_convolution.lanes import (
    LANES,
    compiled,
    fused,
    load,
    plus,
    splat,
    store,
    times,
    where_positive,
)


@compiled
def through_first(first, last, x, w1, past, y1, sums, channels, depth, side):
    """Convolve the input once; sums [n, O, 4, 16] of y1, y1^2, past and past^2."""
    outputs = len(past) // channels
    size = depth * side * side * LANES
    image = np.zeros(channels * depth * (side + 2) * (side + 2) * LANES, np.float32)
    zero = splat(np.float32(0.0))
    for n in range(first, last):
        base, to = n * channels * size, n * outputs * size
        pad(x, base, image, channels * depth, side)
        convolved(image, w1, y1, to, channels, outputs, depth, side)
        for c in range(outputs):
            s, q, ps, pq = zero, zero, zero, zero
            for place in range(0, size, LANES):
                value = load(y1, to + c * size + place)
                s, q = plus(s, value), fused(value, value, q)
                value = past_value(x, base, past, c, channels, size, place)
                ps, pq = plus(ps, value), fused(value, value, pq)
            at = (n * outputs + c) * 4 * LANES
            store(sums, at, s)
            store(sums, at + LANES, q)
            store(sums, at + 2 * LANES, ps)
            store(sums, at + 3 * LANES, pq)


@compiled
def through_second(first, last, y1, mask, scale, shift, w2, y2, sums, depth, side):
    """Convolve relu(scale * y1 + shift); sums [n, O, D, 2, 16] of y2 and y2^2 by slice."""
    outputs = len(scale)
    plane = side * side * LANES
    size = depth * plane
    image = np.zeros(outputs * depth * (side + 2) * (side + 2) * LANES, np.float32)
    zero = splat(np.float32(0.0))
    for n in range(first, last):
        base = n * outputs * size
        pad_active(y1, base, scale, shift, load(mask, n * LANES), image, outputs, depth, side)
        convolved(image, w2, y2, base, outputs, outputs, depth, side)
        for slice_ in range(outputs * depth):
            s, q = zero, zero
            for place in range(0, plane, LANES):
                value = load(y2, base + slice_ * plane + place)
                s, q = plus(s, value), fused(value, value, q)
            at = (n * outputs * depth + slice_) * 2 * LANES
            store(sums, at, s)
            store(sums, at + LANES, q)


@compiled
def through_join(
    first,
    last,
    x,
    mask,
    past,
    y2,
    scale,
    shift,
    weights,
    past_scale,
    past_shift,
    z,
    channels,
    depth,
    side,
):
    """Write z = relu(weights * (scale * y2 + shift) + past_scale * past(x) + past_shift)."""
    outputs = len(scale)
    plane = side * side * LANES
    size = depth * plane
    for n in range(first, last):
        base, to = n * channels * size, n * outputs * size
        real = load(mask, n * LANES)
        for c in range(outputs):
            a, b = splat(scale[c]), splat(shift[c])
            pa, pb = splat(past_scale[c]), splat(past_shift[c])
            for d in range(depth):
                weight = load(weights, ((n * outputs + c) * depth + d) * LANES)
                for place in range(d * plane, (d + 1) * plane, LANES):
                    at = to + c * size + place
                    value = fused(past_value(x, base, past, c, channels, size, place), pa, pb)
                    value = fused(fused(load(y2, at), a, b), weight, value)
                    store(z, at, times(where_positive(value, value), real))
