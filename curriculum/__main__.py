"""`python -m curriculum`: calibrate the items of a log, without the tutor."""

import sys

from curriculum.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
