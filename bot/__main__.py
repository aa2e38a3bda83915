"""`python -m bot`: nothing is imported before Ctrl-C is quiet."""

from __future__ import annotations

import signal
import sys


def main() -> int:
    """As `bot.program.main`. Until that can be told to stop, Ctrl-C ends the process as it does any other."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from bot import program  # noqa: PLC0415 - takes most of a second, in which a traceback would be printed

    return program.main()


if __name__ == "__main__":
    sys.exit(main())
