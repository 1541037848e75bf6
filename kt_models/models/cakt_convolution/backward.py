"""The passes back through a residual block, over chunks of sixteen positions.

Shapes: n chunks, I and O channels, depth D, height and width H. Arrays of activations are flat
float32 of [n, channels, D, H, H, 16]; per slice means [n, O, D, 16], per channel [O]. A pass reads
a chunk, keeps what is in between in buffers that fit the cache, and writes what a later pass needs:
batch normalisation needs sums over all chunks before it can go on, so there are three passes each
way. `mask` [n, 16] is 1 for positions and 0 for the lanes that fill the last chunk up.
"""

# Compiled code: its types are those of the call, and arrays come one by one, which is what is fast.
# ruff: noqa: ANN001, ANN201, ANN202, PLR0913, PLR0917
# mypy: disable-error-code="no-untyped-def"

import numpy as np

from kt_models.models.cakt_convolution.images import (
    convolved,
    correlated,
    pad,
    pad_active,
    past_value,
)
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
def back_sums(first, last, gz, z, x, past, y2, sums, channels, depth, side):
    """Sums [n, O, D, 3, 16] of g, g * y2 and g * past(x), where g is the gradient inside relu."""
    outputs = len(past) // channels
    plane = side * side * LANES
    size = depth * plane
    zero = splat(np.float32(0.0))
    for n in range(first, last):
        base, to = n * channels * size, n * outputs * size
        for c in range(outputs):
            for d in range(depth):
                s, sy, sp = zero, zero, zero
                for place in range(d * plane, (d + 1) * plane, LANES):
                    at = to + c * size + place
                    g = where_positive(load(z, at), load(gz, at))
                    s, sy = plus(s, g), fused(g, load(y2, at), sy)
                    sp = fused(g, past_value(x, base, past, c, channels, size, place), sp)
                at = ((n * outputs + c) * depth + d) * 3 * LANES
                store(sums, at, s)
                store(sums, at + LANES, sy)
                store(sums, at + 2 * LANES, sp)


@compiled
def _gradient_of_second(n, gz, z, y2, weights, constant, p, q, o, into, depth, side):
    """Pad the gradient of y2: p * (g * weights + constant) + q * y2 + o."""
    outputs = len(p)
    row = (side + 2) * LANES
    for c in range(outputs):
        vp, vq, vo = splat(p[c]), splat(q[c]), splat(o[c])
        for d in range(depth):
            slice_ = (n * outputs + c) * depth + d
            weight, extra = load(weights, slice_ * LANES), load(constant, slice_ * LANES)
            for h in range(side):
                source = (slice_ * side + h) * side * LANES
                target = ((c * depth + d) * (side + 2) + h + 1) * row + LANES
                for w in range(0, side * LANES, LANES):
                    g = where_positive(load(z, source + w), load(gz, source + w))
                    value = fused(load(y2, source + w), vq, vo)
                    store(into, target + w, fused(fused(g, weight, extra), vp, value))


@compiled
def _back_through_past(n, gz, z, x, past, p, q, o, inner, gx, sums, channels, size):
    """Write gx through the 1 x 1 x 1 convolution; add its gradient to sums [O, I, 16]."""
    outputs = len(p)
    base, to = n * channels * size, n * outputs * size
    for c in range(outputs):
        vp, vq, vo = splat(p[c]), splat(q[c]), splat(o[c])
        for place in range(0, size, LANES):
            at = to + c * size + place
            g = where_positive(load(z, at), load(gz, at))
            value = fused(past_value(x, base, past, c, channels, size, place), vq, vo)
            store(inner, c * size + place, fused(g, vp, value))
    for i in range(channels):
        for c in range(outputs):
            weight = splat(past[c * channels + i])
            total = load(sums, (c * channels + i) * LANES)
            for place in range(0, size, LANES):
                at = base + i * size + place
                g = load(inner, c * size + place)
                total = fused(g, load(x, at), total)
                before = times(g, weight) if c == 0 else fused(g, weight, load(gx, at))
                store(gx, at, before)
            store(sums, (c * channels + i) * LANES, total)


@compiled
def back_second(
    first,
    last,
    gz,
    z,
    x,
    past,
    y1,
    y2,
    mask,
    scale,
    shift,
    w2_turned,
    weights,
    constant,
    p,
    q,
    o,
    pp,
    pq,
    po,
    ga,
    gx,
    w2_sums,
    past_sums,
    sums,
    channels,
    depth,
    side,
):
    """Go back through the join and the second convolution.

    Writes ga, the gradient inside the first relu, and gx as far as it comes through `past`; adds to
    the weights' sums; sums [n, O, 2, 16] of ga and ga * y1.
    """
    outputs = len(scale)
    plane = side * side * LANES
    size = depth * plane
    padded = outputs * depth * (side + 2) * (side + 2) * LANES
    active, gradient = np.zeros(padded, np.float32), np.zeros(padded, np.float32)
    inner = np.empty(outputs * size, np.float32)
    zero = splat(np.float32(0.0))
    for n in range(first, last):
        base = n * outputs * size
        real = load(mask, n * LANES)
        _back_through_past(n, gz, z, x, past, pp, pq, po, inner, gx, past_sums, channels, size)
        pad_active(y1, base, scale, shift, real, active, outputs, depth, side)
        _gradient_of_second(n, gz, z, y2, weights, constant, p, q, o, gradient, depth, side)
        correlated(active, gradient, w2_sums, outputs, outputs, depth, side)
        convolved(gradient, w2_turned, inner, 0, outputs, outputs, depth, side)
        for c in range(outputs):
            a, b = splat(scale[c]), splat(shift[c])
            s, sy = zero, zero
            for place in range(c * size, (c + 1) * size, LANES):
                value = load(y1, base + place)
                g = where_positive(fused(value, a, b), times(load(inner, place), real))
                store(ga, base + place, g)
                s, sy = plus(s, g), fused(g, value, sy)
            at = (n * outputs + c) * 2 * LANES
            store(sums, at, s)
            store(sums, at + LANES, sy)


@compiled
def back_first(
    first,
    last,
    x,
    ga,
    y1,
    p,
    q,
    o,
    w1_turned,
    gx,
    w1_sums,
    channels,
    depth,
    side,
):
    """Go back through the first convolution: add to gx and to the weight's sums."""
    outputs = len(p)
    size = depth * side * side * LANES
    row = (side + 2) * LANES
    image = np.zeros(channels * depth * (side + 2) * (side + 2) * LANES, np.float32)
    gradient = np.zeros(outputs * depth * (side + 2) * (side + 2) * LANES, np.float32)
    inner = np.empty(channels * size, np.float32)
    for n in range(first, last):
        base = n * outputs * size
        for c in range(outputs):
            vp, vq, vo = splat(p[c]), splat(q[c]), splat(o[c])
            for line in range(c * depth * side, (c + 1) * depth * side):
                source = base + line * side * LANES
                target = (line // side * (side + 2) + line % side + 1) * row + LANES
                for w in range(0, side * LANES, LANES):
                    value = fused(load(y1, source + w), vq, vo)
                    store(gradient, target + w, fused(load(ga, source + w), vp, value))
        pad(x, n * channels * size, image, channels * depth, side)
        correlated(image, gradient, w1_sums, channels, outputs, depth, side)
        convolved(gradient, w1_turned, inner, 0, outputs, channels, depth, side)
        for place in range(0, channels * size, LANES):
            at = n * channels * size + place
            store(gx, at, plus(load(gx, at), load(inner, place)))
