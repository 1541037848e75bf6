"""The command line of curriculum: items of a log, simulated learners, policies on decisions.

Exit codes: 0 done, 1 an anticipated failure told in one message, 2 a wrong command line, 3 an
evaluation refused because the log says too little.
"""

import argparse
import sys
from collections.abc import Sequence

from curriculum.errors import CurriculumError
from curriculum.evaluation import SupportTooThin
from curriculum.evaluation import cli as evaluation
from curriculum.irt import cli as irt
from curriculum.simulation import cli as simulation
from kt_models.api import KTModelError


def main(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m curriculum", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="calibrate | simulate | evaluate")
    calibrate = commands.add_parser("calibrate", help="fit the items of a log and judge the fit")
    irt.add_arguments(calibrate)
    calibrate.set_defaults(run=irt.run_command)
    simulate = commands.add_parser(
        "simulate", help="compare policies on simulated learners of many kinds"
    )
    simulation.add_arguments(simulate)
    simulate.set_defaults(run=simulation.run_command)
    evaluate = commands.add_parser(
        "evaluate", help="say what a policy would have earned, from a log of decisions"
    )
    evaluation.add_arguments(evaluate)
    evaluate.set_defaults(run=evaluation.run_command)
    options = parser.parse_args(arguments)
    try:
        options.run(options)
    except SupportTooThin as refusal:
        print(f"refused: {refusal}", file=sys.stderr)
        return 3
    except (CurriculumError, KTModelError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0
