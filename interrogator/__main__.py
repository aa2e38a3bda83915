"""`python -m interrogator` is `interrogate`."""

from __future__ import annotations

import sys

from interrogator.cli import main

if __name__ == "__main__":
    sys.exit(main())
