"""The command line of curriculum: `calibrate` fits the items of a log.

Exit codes: 0 done, 1 an anticipated failure told in one message, 2 a wrong command line.
"""

import argparse
import sys
from collections.abc import Sequence

from curriculum.errors import CurriculumError
from curriculum.irt import cli as irt
from kt_models.api import KTModelError


def main(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m curriculum", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="calibrate")
    calibrate = commands.add_parser("calibrate", help="fit the items of a log and judge the fit")
    irt.add_arguments(calibrate)
    calibrate.set_defaults(run=irt.run_command)
    options = parser.parse_args(arguments)
    try:
        options.run(options)
    except (CurriculumError, KTModelError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0
