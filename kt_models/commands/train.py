"""`train`: fit a model on a whole log and keep it in a folder."""

import argparse

from kt_models.commands.common import (
    command_line,
    described,
    fitting_bar,
    manner_of,
    now,
    read_log,
)
from kt_models.runs.execution import Request, train
from kt_models.runs.folder import RunFolder
from kt_models.runs.making_models import make_model, parse_settings


def run(options: argparse.Namespace) -> None:
    """Fit, save, and say where.

    Raises:
        KTModelError: the log, the settings or the folder do not do.
    """
    settings = parse_settings(options.settings)
    # Before a long log is read: is there such a model, with such settings?
    make_model(options.model, settings)
    log = read_log(options.log)
    print(described(log))
    request = Request(
        model=options.model,
        log=log,
        log_name=options.log.name,
        seed=options.seed,
        command=command_line(options.arguments),
        started_at=now(),
        settings=settings,
    )
    with fitting_bar(f"fitting {options.model}") as show:
        metrics = train(options.out, request, manner_of(options, show))
    loss = metrics.get("validation_log_loss")
    told = "" if loss is None else f"; log loss {loss:.4f} on validation learners"
    where = RunFolder(options.out).checkpoint
    print(f"fitted {options.model} in {metrics['seconds']:.1f} s{told}; wrote {where}")
