"""Logs made up for tests."""

import csv
import random
from pathlib import Path

HEADER = ("learner", "item", "correct", "concepts", "answered_at", "elapsed_ms", "hints")
FIRST_AT = 1_772_359_200


def made_up_rows(
    *, learners: int = 24, answers: int = 25, items: int = 12, seed: int = 1, **fixed
) -> list[dict[str, object]]:
    """Rows of learners who are right more often on some items than on others.

    `fixed` gives a column the same value in every row; None leaves it empty.
    """
    rng = random.Random(seed)
    rows = []
    for learner in range(learners):
        for step in range(answers):
            item = rng.randrange(items)
            row = {
                "learner": f"student {learner}",
                "item": f"question {item}",
                "correct": int(rng.random() < 0.3 + 0.6 * item / items),
                "concepts": f"topic {item % 4}",
                "answered_at": FIRST_AT + 977 * learner + 90 * step,
                "elapsed_ms": rng.randrange(2_000, 60_000),
                "hints": int(rng.random() < 0.1),
            }
            rows.append({**row, **fixed})
    return rows


def write_log(path: Path, rows: list[dict[str, object]]) -> Path:
    """Write the rows as a CSV and return its path."""
    columns = list(dict.fromkeys(key for row in rows for key in row)) or list(HEADER)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    return path
