"""`python -m reconciler.cli`: the command without the installed script."""

import sys

from reconciler.cli import main

if __name__ == "__main__":
    sys.exit(main())
