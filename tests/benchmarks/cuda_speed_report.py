"""The section of docs/benchmarks.md on CUDA."""

from typing import Any


def section(result: dict[str, Any]) -> str:
    """Return the section, from the figures alone."""
    peak = result["matmul_tflops"]
    told = f"`{result['command']}`, {result['date']}, {result['device']}, torch {result['torch']}"
    lines = [
        "## Networks on a GPU",
        "",
        f"{told}, commit {result['commit']}.",
        "By the clock; 32-bit floats (no TF32) unless stated. A matrix product of 8,192 x 8,192",
        f"reaches {peak['float32']} TFLOP/s in 32-bit floats and {peak['bfloat16']} in bfloat16;",
        "*share* is of the former.",
        "",
        "| CAKT | convolutions | positions/s | TFLOP/s | share |",
        "|---|---|---|---|---|",
    ]
    for name, found in result["cakt"].items():
        for form, row in found["stack"].items():
            rate = f"{row['positions_per_second']:,} | {row['tflops']}"
            lines.append(f"| {name} | {form} | {rate} | {row['share_of_matmul_peak']:.1%} |")
    lines += [
        "",
        "| CAKT, training of the whole network | positions/s | of the bare convolutions | share |",
        "|---|---|---|---|",
    ]
    for name, found in result["cakt"].items():
        rate = f"{found['training_positions_per_second']:,}"
        ratio = f"{found['training_over_bare_stack']:.0%}"
        share = f"{found['training_share_of_matmul_peak']:.1%}"
        lines.append(f"| {name} | {rate} | {ratio} | {share} |")
    columns = ["network", "training, answers/s at 4,000 a step", "at 51,200"]
    columns += ["step of 256 learners, ms", "of one, ms", "learners/s batched / one at a time"]
    lines += [
        "",
        "A worker's *step* takes one answer of each learner in and asks 30 items of each, arrays",
        "in and out of the device included.",
        "",
        f"| {' | '.join(columns)} |",
        "|---" * len(columns) + "|",
    ]
    lines += [_row(name, row) for name, row in result["networks"].items()]
    return "\n".join(lines)


def _row(name: str, row: dict[str, float]) -> str:
    rates = [f"{row[f'training_answers_per_second_at_{size}']:,}" for size in ("4,000", "51,200")]
    steps = [row["step_of_256_ms"], row["step_of_one_ms"], row["batched_over_one_at_a_time"]]
    return "| " + " | ".join([name, *rates, *map(str, steps)]) + " |"
