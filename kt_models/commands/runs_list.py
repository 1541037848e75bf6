"""`runs list`: the runs below a folder and what they reached."""

import argparse
from typing import Any

from kt_models.runs.folder import RunFolder, RunUnreadable, find_runs


def run(options: argparse.Namespace) -> None:
    """Print a line per run.

    Raises:
        RunUnreadable: there is no run below the folder.
    """
    runs = find_runs(options.folder)
    if not runs:
        raise RunUnreadable(f"There is no run in {options.folder} or below it.")
    print(f"{'model':14}{'log':22}{'protocol':15}{'AUC':>8}{'log loss':>10}{'seconds':>10}  folder")
    for one in runs:
        print(_line(one))


def _line(run: RunFolder) -> str:
    try:
        told = run.description()
        metrics = run.metrics() if run.finished else {}
    except RunUnreadable as error:
        return f"{'unreadable':69}  {error}"
    if metrics:
        cells = [_number(metrics, name) for name in ("auc", "log_loss")]
        state = "".join(f"{cell:>{width}}" for cell, width in zip(cells, (8, 10), strict=True))
        state += f"{metrics['seconds']:10.1f}"
    else:
        done = len(run.curves())
        state = f"{f'unfinished, {done} steps' if done else 'unfinished':>28}"
    what = told.protocol.get("protocol", told.kind)
    if "fold" in told.protocol:
        what = f"{what} {told.protocol['fold']}"
    return f"{told.model:14}{str(told.log['name'])[:20]:22}{what:15}{state}  {run.path}"


def _number(metrics: dict[str, Any], name: str) -> str:
    value = metrics.get(name, metrics.get(f"validation_{name}"))
    return "" if value is None else f"{value:.4f}"
