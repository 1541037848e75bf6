"""The command line of curriculum: items of a log, simulated learners.

Exit codes: 0 done, 1 an anticipated failure told in one message, 2 a wrong command line.
"""

import argparse
import sys
from collections.abc import Sequence

from curriculum.errors import CurriculumError
from curriculum.irt import cli as irt
from curriculum.simulation import cli as simulation
from kt_models.api import KTModelError


def main(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m curriculum", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="calibrate | simulate")
    calibrate = commands.add_parser("calibrate", help="fit the items of a log and judge the fit")
    irt.add_arguments(calibrate)
    calibrate.set_defaults(run=irt.run_command)
    simulate = commands.add_parser(
        "simulate", help="compare policies on simulated learners of many kinds"
    )
    simulation.add_arguments(simulate)
    simulate.set_defaults(run=simulation.run_command)
    options = parser.parse_args(arguments)
    try:
        options.run(options)
    except (CurriculumError, KTModelError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0
