"""`runs plot`: learning curves, reliability diagrams and AUC by length of history."""

import argparse

from kt_models.runs.comparing import read_evaluation
from kt_models.runs.plots import plot


def run(options: argparse.Namespace) -> None:
    """Draw the runs into one picture.

    Raises:
        KTModelError: a folder is no finished evaluation, or the picture cannot be written.
    """
    plot([read_evaluation(path) for path in options.runs], options.out)
    print(f"wrote {options.out}")
