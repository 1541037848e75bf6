"""`runs learning-curve`: how the error falls with more learners, and how many a gain takes."""

import argparse

from kt_models.commands.common import command_line, described, fitting_bar, now, read_log
from kt_models.commands.evaluate import protocol_of
from kt_models.evaluation.protocols import trial_of
from kt_models.runs.execution import Manner, Request, evaluate
from kt_models.runs.files import write_json, writing
from kt_models.runs.learning_curve import Point, points, report, to_json
from kt_models.runs.making_models import make_model, parse_settings
from kt_models.runs.plots import plot_learning_curve


def run(options: argparse.Namespace) -> None:
    """Run what is not done yet, fit the power law, and say what it bears out.

    Raises:
        KTModelError: the log is too small, or a name, the settings or the folder do not do.
    """
    settings = parse_settings(options.settings)
    make_model(options.model, settings)
    log = read_log(options.log)
    print(described(log))
    trial = trial_of(log, "learner-split", seed=options.seed)
    seeds = range(options.seed, options.seed + options.seeds)
    curve = list(points(trial, options.out, sizes=options.sizes, seeds=seeds))
    for point in curve:
        request = Request(
            model=options.model,
            log=log,
            log_name=options.log.name,
            seed=point.seed,
            command=command_line(options.arguments),
            started_at=now(),
            settings=settings,
        )
        print(_carry_out(options, point, request), flush=True)
    found = report(curve, gain=options.gain, seed=options.seed)
    with writing(options.out):
        write_json(options.out / "learning_curve.json", to_json(found))
    plot_learning_curve(found, options.out / "learning_curve.png", name=options.model)
    law = found.law
    print(
        f"log loss = {law.a:.4g} n^-{law.b:.3f} + {law.c:.4f}; exponent {found.exponent[0]:.3f} to "
        f"{found.exponent[1]:.3f}, floor {found.floor[0]:.4f} to {found.floor[1]:.4f} (95 %)"
    )
    print(found.verdict())
    print(f"wrote {options.out / 'learning_curve.json'} and .png")


def _carry_out(options: argparse.Namespace, point: Point, request: Request) -> str:
    protocol = protocol_of("learner-split", fold=0, folds=5) | {"learners": point.size}
    with fitting_bar(f"{point.size} learners, seed {point.seed}") as show:
        manner = Manner(resume=True, progress=show)
        metrics = evaluate(
            point.folder, request, point.trial, protocol, manner, resamples=options.resamples
        )
    return (
        f"{point.size:6} learners, seed {point.seed}: AUC {metrics['auc']:.4f}, "
        f"log loss {metrics['log_loss']:.4f}, {metrics['seconds']:.1f} s"
    )
