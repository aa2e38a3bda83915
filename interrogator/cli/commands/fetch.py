"""`interrogate fetch PROFILE`: download the models of a profile ahead."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from interrogator.cli.display import DownloadBar, shown
from interrogator.cli.exits import EXIT_CODES, Exit
from interrogator.cli.output import explained
from interrogator.cli.parser import Parser
from interrogator.cli.profile_options import add_model_options, add_profiles_file, chosen_profile, profiles_file
from interrogator.errors import InterrogatorError
from interrogator.profiles import CUSTOM, ClipProfile, Profile, profile_names

EXAMPLES = f"""\
examples:
  interrogate fetch sd1
  interrogate fetch sdxl --captioner blip-base
  interrogate fetch --model ViT-B-32/openai --captioner none

A download that was interrupted goes on where it was. `interrogate models` shows what is there.

{EXIT_CODES}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchArguments:
    """What was asked."""

    profile: Profile


def parse_fetch(argv: Sequence[str]) -> FetchArguments:
    """Ends in `SystemExit(2)`, after a sentence on stderr, where the words make no sense."""
    parser = _parser()
    values = parser.parse_intermixed_args(argv)
    if values.profile is None and values.model is None:
        parser.error("name a PROFILE (`interrogate models` lists them), or a model with --model")
    try:
        if values.profile == CUSTOM and CUSTOM not in profile_names(profiles_file(values)):
            values.profile = None  # as the error of a missing model writes it
            if values.model is None:
                parser.error(f"“{CUSTOM}” is what models without a profile are called: name them with --model")
        return FetchArguments(profile=chosen_profile(values))
    except InterrogatorError as error:
        parser.error(str(error))


def run_fetch(arguments: FetchArguments) -> Exit:
    """Download what is missing; the error that ends it is for the caller to tell."""
    profile = arguments.profile
    if isinstance(profile, ClipProfile):
        from interrogator.engines.clip import fetch  # noqa: PLC0415

        with DownloadBar() as bar:
            fetch(profile, bar.report)
        sentence = f"{shown(profile.name)}: everything is on this machine"
    else:
        sentence = f"{shown(profile.name)}: nothing to fetch, its models come with the installed packages"
    with explained():
        sys.stdout.write(f"{sentence}\n")
        sys.stdout.flush()
    return Exit.OK


def _parser() -> Parser:
    parser = Parser(
        prog="interrogate fetch",
        usage="interrogate fetch [options] PROFILE",
        description="Download the models of a profile, so that it works without a network.",
        epilog=EXAMPLES,
    )
    parser.add_argument("profile", nargs="?", metavar="PROFILE", help="sd1, sd2, sdxl, or one of your own")
    add_model_options(parser)
    add_profiles_file(parser)
    return parser
