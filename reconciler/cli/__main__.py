"""`python -m reconciler.cli`: the command where the installed script is not on the path."""

import sys

from reconciler.cli import main

if __name__ == "__main__":
    sys.exit(main())
