"""The section of docs/benchmarks.md on CAKT's speed, made from the figures alone."""

from typing import Any

HEADING = """\
## CAKT: speed

`{command}`, {date}, {hardware}, load {load_before} before, commit {commit}.
One thread, {positions:,} positions, 32-bit floats unless stated; processor time, so that other work
on the machine matters little.
"""
STACK = """\
**The convolutions alone, forward and back** ({config}): {mflop_per_position} MFLOP a position. A
matrix product of 1,024 x 1,024 reaches {matmul_gflops} GFLOP/s in the same run.

| form | positions/s | GFLOP/s | share of the matrix product |
|---|---|---|---|
"""
WHOLE = """\
Training the whole network (forward, back, Adam) goes through {training_positions_per_second:,}
positions/s, {training_over_bare_stack:.0%} of the bare convolutions on the same tensors in turn
with it ({bare_stack_positions_per_second:,}; target: at least 60 %), and at
{training_share_of_matmul_peak:.0%} of the matrix product's rate, counting the convolutions only.
"""
STREAMING = """\
**One answer absorbed and one question asked**, milliseconds after a history of so many answers:

"""
STATE = """\
CAKT's stored state has {cakt_state_bytes:,} bytes whatever the history; the keys and values of
attention (2 layers x 64) have {attention_state_bytes_after_10000:,} after 10,000 answers.
"""
CONFIGS = {"code": "published program, k = 4, H = 15", "paper": "paper, k = 6, H = 17"}


def section(result: dict[str, Any]) -> str:
    """Return the section as Markdown."""
    parts = [HEADING.format(**result)]
    for name, found in result["variants"].items():
        rows = [
            f"| {form} | {row['positions_per_second']:,} | {row['gflops']} | "
            f"{row['share_of_matmul_peak']:.0%} |\n"
            for form, row in found["stack"].items()
        ]
        parts.append(STACK.format(config=CONFIGS[name], **found) + "".join(rows))
        parts.append(WHOLE.format(**found))
    return "\n".join([*parts, *_streaming(result["streaming"])])


def _streaming(found: dict[str, Any]) -> list[str]:
    table = found["milliseconds"]
    histories = list(next(iter(table.values())))
    head = ["model", *(f"{int(n):,}" for n in histories), "last / first"]
    rows = [head, ["---"] * len(head)]
    for name, row in table.items():
        grown = found["after_10000_over_after_10"][name]
        rows.append([name, *(f"{row[n]:.2f}" for n in histories), f"{grown}"])
    lines = "".join(f"| {' | '.join(cells)} |\n" for cells in rows)
    return [STREAMING + lines, STATE.format(**found)]
