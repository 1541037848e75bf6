"""`python -m kt_models`: fit and compare models on a log, without the tutor."""

import sys

from kt_models.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
