"""Parts of the running tutor are killed under load, for a long while: what is lost, what is double.

    .venv/bin/python -m tests.benchmarks.faults

PostgreSQL, Redis, two workers and the beat; clients who answer and send again until they are told
that it is stored. Every few seconds a worker is killed, and in between PostgreSQL crashes, Redis
comes back empty, the disk is full for states, the workers' clocks are stepped. Writes
docs/benchmarks/faults.json and its section of docs/benchmarks.md.
"""

import dataclasses
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.product.circumstances import circumstances, write
from tests.faults import harness

ANSWERS, LEARNERS, THREADS, WORKERS = 20_000, 60, 6, 2


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        found = harness.run(
            folder=Path(folder),
            answers=ANSWERS,
            learners=LEARNERS,
            threads=THREADS,
            workers=WORKERS,
            every_s=3.0,
            quiet_s=300,
        )
    result = circumstances() | dataclasses.asdict(found) | {"workers": WORKERS}
    write("faults", result=result, section=section(result))
    print(section(result))
    is_whole = found.is_same and found.lost == found.double == found.left_aside == 0
    return 0 if is_whole else 1


def section(result: dict[str, object]) -> str:
    faults = ", ".join(f"{name} {count}" for name, count in sorted(result["faults"].items()))
    lines = (
        "## Parts killed under load",
        "",
        (
            f"`{result['command']}`, {result['date']}, commit {result['commit']}, "
            f"{result['hardware']}, load {result['load_before']} before."
        ),
        "",
        "| | |",
        "|---|---|",
        f"| answers acknowledged | {result['acknowledged']:,} in {result['seconds']:.0f} s |",
        f"| faults | {faults} |",
        f"| lost | {result['lost']} |",
        f"| double | {result['double']} |",
        f"| learners left aside | {result['left_aside']} |",
        f"| quiet after the last answer | {result['quiet_s']:.0f} s |",
        f"| messages in the queue, at most | {result['most_waiting']} |",
        (
            "| states and newest predictions equal a rebuild from the log "
            f"| {'yes' if result['is_same'] else 'no'} |"
        ),
    )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
