"""Sixteen positions side by side: the vector values that the compiled convolutions are made of.

A convolution of a few channels fills no matrix unit. With sixteen positions as the innermost axis
every operation is one on a vector of sixteen floats, whatever the channels.
"""

# Numba reads the stubs' parameters, although only the generated code uses them.
# ruff: noqa: ARG001, PLR0913, PLR0917
# mypy: disable-error-code="no-untyped-call, untyped-decorator"

import hashlib
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic, models, register_model

LANES = 16
# Compiled code calls an intrinsic without the typing context that its stub takes.
_operation: Any = intrinsic
_SOURCE = hashlib.sha256(
    b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))
).hexdigest()[:12]
_FLOAT = ir.FloatType()
_VECTOR = ir.VectorType(_FLOAT, LANES)


def compiled(function: Callable[..., Any]) -> Any:
    """Compile a function without the interpreter's lock and keep the code for later processes.

    Numba looks only at the function's own file to see whether kept code is stale; the name carries
    a hash of this whole folder, so that a change of what it calls is seen too.
    """
    function.__qualname__ += f"_{_SOURCE}"
    return numba.njit(cache=True, nogil=True, error_model="numpy")(function)


class _Lanes(types.Type):
    def __init__(self) -> None:
        super().__init__(name="Lanes16")


lanes = _Lanes()


@register_model(_Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _VECTOR)


def _data(context: Any, builder: Any, kind: Any, array: Any) -> Any:
    return context.make_array(kind)(context, builder, array).data


def _load(builder: Any, data: Any, place: Any) -> Any:
    pointer = builder.bitcast(builder.gep(data, [place]), _VECTOR.as_pointer())
    return builder.load(pointer, align=4)


def _store(builder: Any, value: Any, data: Any, place: Any) -> None:
    pointer = builder.bitcast(builder.gep(data, [place]), _VECTOR.as_pointer())
    builder.store(value, pointer, align=4)


def _fma(builder: Any, a: Any, b: Any, c: Any) -> Any:
    kind = ir.FunctionType(_VECTOR, [_VECTOR] * 3)
    name = f"llvm.fma.v{LANES}f32"
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), [a, b, c])


def _splat(builder: Any, number: Any) -> Any:
    one = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), number, _int32(0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
    return builder.shuffle_vector(one, ir.Constant(_VECTOR, ir.Undefined), zeros)


def _int32(value: int) -> Any:
    return ir.Constant(ir.IntType(32), value)


def _int64(value: int) -> Any:
    return ir.Constant(ir.IntType(64), value)


@_operation
def load(_typing: Any, array: Any, place: Any) -> Any:
    """Return the 16 floats of a flat float32 array from `place` on."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _load(builder, _data(context, builder, signature.args[0], args[0]), args[1])

    return lanes(array, types.int64), code


@_operation
def store(_typing: Any, array: Any, place: Any, value: Any) -> Any:
    """Write 16 floats to a flat float32 array from `place` on."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        _store(builder, args[2], _data(context, builder, signature.args[0], args[0]), args[1])
        return context.get_dummy_value()

    return types.void(array, types.int64, value), code


@_operation
def splat(_typing: Any, number: Any) -> Any:
    """Return 16 times the same float32."""

    def code(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return _splat(builder, args[0])

    return lanes(types.float32), code


@_operation
def fused(_typing: Any, a: Any, b: Any, c: Any) -> Any:
    """Return a * b + c."""

    def code(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return _fma(builder, *args)

    return lanes(a, b, c), code


@_operation
def times(_typing: Any, a: Any, b: Any) -> Any:
    """Return a * b."""

    def code(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.fmul(*args)

    return lanes(a, b), code


@_operation
def where_positive(_typing: Any, sign: Any, value: Any) -> Any:
    """Return value where sign > 0, else 0."""

    def code(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        zero = ir.Constant(_VECTOR, [0.0] * LANES)
        return builder.select(builder.fcmp_ordered(">", args[0], zero), args[1], zero)

    return lanes(sign, value), code


def convolving(*, outputs: int, columns: int) -> Any:
    """Return an intrinsic that computes `columns` neighbouring places of all output channels.

    The sum over input channels and 3 x 3 x 3 taps stays in registers; outputs * columns + a few
    should be at most 32 of them.
    """

    @_operation
    def convolve(
        _typing: Any,
        image: Any,
        at: Any,
        strides: Any,
        channels: Any,
        first: Any,
        last: Any,
        weight: Any,
        result: Any,
        to: Any,
        step: Any,
    ) -> Any:
        """Write result[to + o * step + 16 j] for outputs o and columns j.

        Args: image, flat, with `at` the place of tap (0, 0, 0); strides (channel, depth, row) of
        it; the number of input channels; taps first to last - 1 in depth; weight
        [channels, 3, 3, 3, outputs], flat.
        """

        def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            x = _data(context, builder, signature.args[0], args[0])
            w = _data(context, builder, signature.args[6], args[6])
            y = _data(context, builder, signature.args[7], args[7])
            sums = [cgutils.alloca_once(builder, _VECTOR) for _ in range(outputs * columns)]
            for place in sums:
                builder.store(ir.Constant(_VECTOR, [0.0] * LANES), place)
            by_channel, by_depth, by_row = cgutils.unpack_tuple(builder, args[2])
            with (
                cgutils.for_range(builder, args[3]) as channel,
                cgutils.for_range(builder, args[5], start=args[4]) as depth,
                cgutils.for_range(builder, _int64(3)) as row,
            ):
                start = builder.add(args[1], builder.mul(channel.index, by_channel))
                start = builder.add(start, builder.mul(depth.index, by_depth))
                start = builder.add(start, builder.mul(row.index, by_row))
                tap = builder.add(builder.mul(channel.index, _int64(3)), depth.index)
                tap = builder.add(builder.mul(tap, _int64(3)), row.index)
                tap = builder.mul(tap, _int64(3 * outputs))
                seen = [
                    _load(builder, x, builder.add(start, _int64(LANES * j)))
                    for j in range(columns + 2)
                ]
                for column, output in itertools.product(range(3), range(outputs)):
                    place = builder.add(tap, _int64(column * outputs + output))
                    factor = _splat(builder, builder.load(builder.gep(w, [place])))
                    for j in range(columns):
                        total = sums[output * columns + j]
                        value = _fma(builder, seen[j + column], factor, builder.load(total))
                        builder.store(value, total)
            for output, j in itertools.product(range(outputs), range(columns)):
                base = builder.add(args[8], builder.mul(args[9], _int64(output)))
                value = builder.load(sums[output * columns + j])
                _store(builder, value, y, builder.add(base, _int64(LANES * j)))
            return context.get_dummy_value()

        whole = types.int64
        triple = types.UniTuple(types.int64, 3)
        return types.void(
            image, whole, triple, whole, whole, whole, weight, result, whole, whole
        ), code

    return convolve


def correlating(*, outputs: int) -> Any:
    """Return an intrinsic that adds one row's part of three taps' weight gradients."""

    @_operation
    def correlate(
        _typing: Any,
        image: Any,
        at: Any,
        gradient: Any,
        start: Any,
        step: Any,
        columns: Any,
        sums: Any,
        to: Any,
    ) -> Any:
        """Add to sums[to + 16 (3 o + tap)] for outputs o and the three taps of a row.

        Args: image and the place of tap 0 at column 0; gradient, its place at output 0, column 0,
        and the stride between outputs; the number of columns.
        """

        def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            x = _data(context, builder, signature.args[0], args[0])
            g = _data(context, builder, signature.args[2], args[2])
            s = _data(context, builder, signature.args[6], args[6])
            totals = [cgutils.alloca_once(builder, _VECTOR) for _ in range(3 * outputs)]
            places = [builder.add(args[7], _int64(LANES * k)) for k in range(3 * outputs)]
            for total, place in zip(totals, places, strict=True):
                builder.store(_load(builder, s, place), total)
            with cgutils.for_range(builder, args[5]) as column:
                offset = builder.mul(column.index, _int64(LANES))
                base = builder.add(args[1], offset)
                seen = [_load(builder, x, builder.add(base, _int64(LANES * t))) for t in range(3)]
                for output in range(outputs):
                    place = builder.add(args[3], builder.mul(args[4], _int64(output)))
                    here = _load(builder, g, builder.add(place, offset))
                    for t in range(3):
                        total = totals[3 * output + t]
                        builder.store(_fma(builder, here, seen[t], builder.load(total)), total)
            for total, place in zip(totals, places, strict=True):
                _store(builder, builder.load(total), s, place)
            return context.get_dummy_value()

        whole = types.int64
        return types.void(image, whole, gradient, whole, whole, whole, sums, whole), code

    return correlate


@_operation
def plus(_typing: Any, a: Any, b: Any) -> Any:
    """Return a + b."""

    def code(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.fadd(*args)

    return lanes(a, b), code
