"""`interrogate serve`: the models loaded once, for bots and command lines of this machine."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from interrogator.address import Address, parse_address
from interrogator.cli.debugging import debugging
from interrogator.cli.display import LoadingLine
from interrogator.cli.exits import EXIT_CODES, Exit
from interrogator.cli.parser import Parser
from interrogator.cli.profile_options import add_profile_options, chosen_profile
from interrogator.errors import InterrogatorError
from interrogator.profiles import Profile, to_argument
from interrogator.worker_secret import HINT, SECRET_VARIABLE, read_secret

LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"

EXAMPLES = f"""\
examples:
  interrogate serve --listen unix:/run/user/1000/interrogator.sock --profile sd1
  interrogate serve --listen tcp:127.0.0.1:7411 --secret-file secret.txt

A unix socket is open to the user who started the worker alone, and needs no secret, though it may have one. A tcp
address needs one of those who ask (the bot's setting worker, --connect of the command line): the content of
--secret-file, or {SECRET_VARIABLE} in the environment. {HINT}

Ctrl-C or SIGTERM stops it; those who ask wait for the next one, and send again what had no answer.

{EXIT_CODES}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeArguments:
    """What was asked. `pipeline` is "module:function" in place of our own, for tests."""

    listen: Address
    secret: bytes | None = field(repr=False)
    profile: Profile
    allow_remote: bool
    pipeline: str | None


def parse_serve(argv: Sequence[str]) -> ServeArguments:
    """Ends in `SystemExit(2)`, after a sentence on stderr, where the words make no sense."""
    from interrogator.serving.listening import check_listening  # noqa: PLC0415 - no other command listens

    parser = _parser()
    values = parser.parse_args(argv)
    try:
        arguments = ServeArguments(
            listen=parse_address(values.listen),
            secret=read_secret(values.secret_file),
            profile=chosen_profile(values),
            allow_remote=values.allow_remote,
            pipeline=values.pipeline,
        )
        check_listening(arguments.listen, arguments.secret, allow_remote=arguments.allow_remote)
    except InterrogatorError as error:
        parser.error(str(error))
    return arguments


def run_serve(arguments: ServeArguments) -> Exit:
    """Serve until a signal; the error that ends it otherwise is for the caller to tell."""
    from interrogator.queue.local import LocalQueueConfig  # noqa: PLC0415 - no other command needs it
    from interrogator.serving.service import MAX_JOBS, MAX_JOBS_PER_USER, Service, serve_until_told  # noqa: PLC0415

    bounds = LocalQueueConfig(max_jobs=MAX_JOBS, max_jobs_per_user=MAX_JOBS_PER_USER, pipeline=arguments.pipeline)
    service = Service(
        address=arguments.listen,
        secret=arguments.secret,
        profile=to_argument(arguments.profile),
        allow_remote=arguments.allow_remote,
        queue=bounds,
    )
    with _log_to_stderr(), LoadingLine() as line:

        def listens(address: Address) -> None:
            _say(f"listening at {address}")

        def ready() -> None:
            line.close()
            _say("ready")

        asyncio.run(serve_until_told(service, line.report, listens, ready))
    return Exit.OK


def _say(sentence: str) -> None:
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()


@contextmanager
def _log_to_stderr() -> Iterator[None]:
    """What a server does is seen in its log, unless that is shown already."""
    if debugging():
        yield
        return
    log = logging.getLogger("interrogator")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter(LOG_FORMAT))
    level = log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(level)


def _parser() -> Parser:
    parser = Parser(
        prog="interrogate serve",
        usage="interrogate serve --listen ADDRESS [options]",
        description="Load the models once, and answer bots and command lines that connect.",
        epilog=EXAMPLES,
    )
    parser.add_argument(
        "--listen", required=True, metavar="ADDRESS", help="unix:PATH, or tcp:127.0.0.1:PORT (port 0: any free one)"
    )
    parser.add_argument(
        "--secret-file", type=Path, metavar="FILE", help=f"holds the secret (default: the variable {SECRET_VARIABLE})"
    )
    parser.add_argument(
        "--allow-remote",
        action="store_true",
        help="listen at a tcp address of other machines too; what is sent is not encrypted",
    )
    add_profile_options(parser)
    parser.add_argument("--pipeline", help=argparse.SUPPRESS)
    return parser
