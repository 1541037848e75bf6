"""`python -m curriculum calibrate`: from a log to tables and pictures of its items."""

import argparse
import dataclasses
import json
import math
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from curriculum.irt.ability import Abilities, estimate_abilities
from curriculum.irt.calibrating import calibrate
from curriculum.irt.errors import CannotWrite, ImpossibleSetting
from curriculum.irt.models import ItemModel
from curriculum.irt.pictures import curves_of, draw, tables_of
from curriculum.irt.responses import select_first_attempts
from curriculum.irt.run import CalibrationRun, Engine, Settings
from curriculum.irt.tables import parameters_csv, read_groups, read_guessing, read_parameters
from kt_models import api


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument("log", type=Path, help="CSV: learner,item,correct,…")
    parser.add_argument("--out", type=Path, required=True, help="folder for the results")
    models = [str(model) for model in ItemModel]
    parser.add_argument("--model", choices=models, default="2pl")
    engines = [str(engine) for engine in Engine]
    parser.add_argument("--engine", choices=engines, default="py-irt", help="what fits")
    parser.add_argument(
        "--anchors", type=Path, help="parameters.csv whose scale the new parameters shall be on"
    )
    parser.add_argument(
        "--warm-start", type=Path, help="parameters.csv of an earlier run to start from"
    )
    parser.add_argument(
        "--options",
        help="3pl: how many options an item has, for all, or a CSV with the columns item,options",
    )
    parser.add_argument("--group", metavar="COLUMN", help="compare the groups in this column")
    parser.add_argument("--seed", type=int, default=0)


def run_command(options: argparse.Namespace) -> None:
    """Calibrate a log and write the results.

    Raises:
        CurriculumError: something in the inputs, told in one message.
        KTModelError: the log cannot be read.
    """
    guessing, by_item = _guessing(options)
    settings = Settings(
        model=ItemModel(options.model),
        engine=Engine(options.engine),
        seed=options.seed,
        guessing=guessing,
    )
    anchors = read_parameters(options.anchors, anchors=True) if options.anchors else None
    earlier = read_parameters(options.warm_start) if options.warm_start else None
    log = _read(options.log)
    groups = read_groups(options.log, options.group) if options.group else None
    with tqdm(total=6, desc="calibrating", disable=None, leave=False) as bar:

        def tell(step: str) -> None:
            bar.set_postfix_str(step)
            bar.update(1)

        run = calibrate(
            log,
            settings=settings,
            anchors=anchors,
            earlier=earlier,
            guessing_by_item=by_item,
            groups=groups,
            progress=tell,
        )
    _write(run, _abilities(log, run), options.out)
    _report(run, options.out)


def _guessing(options: argparse.Namespace) -> tuple[float, dict[str, float]]:
    if (options.model == ItemModel.THREE) != (options.options is not None):
        raise ImpossibleSetting("--options belongs to --model 3pl, and 3pl needs it.")
    if options.options is None:
        return 0.0, {}
    if options.options.isdecimal():
        if int(options.options) < 2:
            raise ImpossibleSetting(f"--options {options.options}: it takes 2 to choose.")
        return 1.0 / int(options.options), {}
    return 0.0, read_guessing(Path(options.options))


def _read(path: Path) -> api.ResponseLog:
    with tqdm(unit=" rows", desc=f"reading {path.name}", disable=None, leave=False) as bar:
        return api.read_csv(path, progress=lambda count: bar.update(count - bar.n))


def _abilities(log: api.ResponseLog, run: CalibrationRun) -> Abilities:
    responses, _ = select_first_attempts(log)
    seen = np.array([one.n > 0 for one in run.items])
    return estimate_abilities(
        learner=responses.learner,
        item=(np.cumsum(seen) - 1)[responses.item],
        correct=responses.correct,
        learners=len(responses.learners),
        bank=curves_of(run).bank,
        population=run.population,
    )


def _write(run: CalibrationRun, abilities: Abilities, folder: Path) -> None:
    """Write everything into a folder beside, then move it in: a failure leaves nothing half."""
    curves = curves_of(run)
    texts = {
        "parameters.csv": parameters_csv(run),
        "summary.json": json.dumps(summary_of(run), indent=1) + "\n",
        **tables_of(run, curves, abilities.mean),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".writing-") as name:
            waiting = Path(name)
            for title, text in texts.items():
                (waiting / title).write_text(text, encoding="utf-8")
            draw(run, curves, abilities.mean, waiting)
            for path in sorted(waiting.iterdir()):
                path.replace(folder / path.name)
    except OSError as error:
        raise CannotWrite(f"{folder}: {error.strerror or error}.") from error


def summary_of(run: CalibrationRun) -> dict[str, Any]:
    """Return the run without its items' figures, which have a table of their own."""
    whole = run.to_dict()
    del whole["items"]
    whole["census"].pop("seen")
    flags: dict[str, int] = {}
    for one in run.items:
        for flag in one.flags:
            flags[str(flag)] = flags.get(str(flag), 0) + 1
    facts = {
        "version": run.version,
        "passed": run.passed,
        "items": len(run.items),
        "items_ready": sum(one.ready for one in run.items),
        "flags": flags,
    }
    return {key: _plain(value) for key, value in (facts | whole).items()}


def _plain(value: Any) -> Any:
    """Return a value for JSON proper, which has no nan and no infinity."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _plain(dataclasses.asdict(value))
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _report(run: CalibrationRun, folder: Path) -> None:
    census = run.census
    print(
        f"{census.calibrated} first attempts of {census.learners} learners at {len(run.items)} "
        f"items; left out: {census.repeats} repeats, {census.assisted} with help, "
        f"{census.unjudged} not judged."
    )
    print(f"{sum(one.ready for one in run.items)} items are ready to be used.")
    for gate in run.gates:
        if not gate.passed:
            print(
                f"{'not met' if gate.blocks else 'alarm'}: {gate.name} is {gate.value:.4g}, "
                f"bound {gate.bound:g}",
                file=sys.stderr,
            )
    print(f"run {run.version} written to {folder}")
