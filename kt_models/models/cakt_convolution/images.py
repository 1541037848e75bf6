"""What the passes over a chunk of positions share: padding and the convolutions themselves.

Shapes: I and O channels, depth D, height and width H. A chunk is flat float32 of [channels, D, H,
H, 16]; a padded one has a border of zeros around every plane of H x H, none in depth.
"""

# Compiled code: its types are those of the call, and arrays come one by one, which is what is fast.
# ruff: noqa: ANN001, ANN201, PLR0913, PLR0917
# mypy: disable-error-code="no-untyped-def"

from kt_models.models.cakt_convolution.lanes import (
    LANES,
    compiled,
    convolving,
    correlating,
    fused,
    load,
    splat,
    store,
    times,
    where_positive,
)

# Of three columns of at most eight channels the sums fit the registers.
COLUMNS = 3


@compiled
def padded_strides(depth, side):
    """Return how far apart channels, planes and rows of a padded chunk are."""
    row = (side + 2) * LANES
    return depth * (side + 2) * row, (side + 2) * row, row


_convolve_1 = convolving(outputs=1, columns=COLUMNS)
_convolve_4 = convolving(outputs=4, columns=COLUMNS)
_convolve_8 = convolving(outputs=8, columns=COLUMNS)
_correlate_1 = correlating(outputs=1)
_correlate_4 = correlating(outputs=4)
_correlate_8 = correlating(outputs=8)


@compiled
def convolved(image, weight, result, to, channels, outputs, depth, side):
    """Convolve one padded chunk into result[to:], not padded."""
    strides = padded_strides(depth, side)
    step = depth * side * side * LANES
    for d in range(depth):
        first, last = int(d == 0), 3 - int(d == depth - 1)
        for h in range(side):
            for column in range(0, side, COLUMNS):
                # The last columns may be computed twice rather than need a kernel of their own.
                c = min(column, side - COLUMNS)
                at = (d - 1) * strides[1] + h * strides[2] + c * LANES
                place = to + ((d * side + h) * side + c) * LANES
                if outputs == 8:
                    _convolve_8(
                        image, at, strides, channels, first, last, weight, result, place, step
                    )
                elif outputs == 4:
                    _convolve_4(
                        image, at, strides, channels, first, last, weight, result, place, step
                    )
                else:
                    _convolve_1(
                        image, at, strides, channels, first, last, weight, result, place, step
                    )


@compiled
def correlated(image, gradient, sums, channels, outputs, depth, side):
    """Add one chunk's weight gradient to sums [I, 3, 3, O, 3, 16]; both padded."""
    channel, plane, row = padded_strides(depth, side)
    for d in range(depth):
        for h in range(side):
            start = d * plane + (h + 1) * row + LANES
            for i in range(channels):
                for z in range(max(0, 1 - d), min(3, depth + 1 - d)):
                    for y in range(3):
                        at = i * channel + (d + z - 1) * plane + (h + y) * row
                        to = ((i * 3 + z) * 3 + y) * outputs * 3 * LANES
                        if outputs == 8:
                            _correlate_8(image, at, gradient, start, channel, side, sums, to)
                        elif outputs == 4:
                            _correlate_4(image, at, gradient, start, channel, side, sums, to)
                        else:
                            _correlate_1(image, at, gradient, start, channel, side, sums, to)


@compiled
def pad(values, base, into, planes, side):
    """Copy planes of side x side into the middle of planes with a border of zeros."""
    row = (side + 2) * LANES
    for plane in range(planes):
        for h in range(side):
            source = base + (plane * side + h) * side * LANES
            target = (plane * (side + 2) + h + 1) * row + LANES
            for w in range(0, side * LANES, LANES):
                store(into, target + w, load(values, source + w))


@compiled
def pad_active(values, base, scale, shift, mask, into, channels, depth, side):
    """Pad relu(scale * values + shift) of one chunk, zero in lanes without a position."""
    row = (side + 2) * LANES
    for c in range(channels):
        a, b = splat(scale[c]), splat(shift[c])
        for plane in range(c * depth, (c + 1) * depth):
            for h in range(side):
                source = base + (plane * side + h) * side * LANES
                target = (plane * (side + 2) + h + 1) * row + LANES
                for w in range(0, side * LANES, LANES):
                    value = fused(load(values, source + w), a, b)
                    store(into, target + w, times(where_positive(value, value), mask))


@compiled
def past_value(values, base, weight, c, channels, size, place):
    """Return output channel c of the 1 x 1 x 1 convolution at one place; weight is [O, I]."""
    total = times(load(values, base + place), splat(weight[c * channels]))
    for i in range(1, channels):
        total = fused(load(values, base + i * size + place), splat(weight[c * channels + i]), total)
    return total
