"""`interrogate models`: the profiles, what each needs, and what of it is on this machine."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from interrogator.cli.display import shown
from interrogator.cli.exits import EXIT_CODES, Exit
from interrogator.cli.output import explained
from interrogator.cli.parser import Parser
from interrogator.cli.profile_options import add_profiles_file, profiles_file
from interrogator.cli.tables import aligned, bytes_text
from interrogator.errors import InterrogatorError, UnsupportedOptionError
from interrogator.profiles import ClipProfile, Profile, load_profiles

if TYPE_CHECKING:
    from interrogator.engines.clip.presence import KnownModel

NO_CAPTIONER = "none"

EXAMPLES = f"""\
examples:
  interrogate models
  interrogate models sd1
  interrogate models --all --json | jq -r '.models[].name'

{EXIT_CODES}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelsArguments:
    """What was asked; `everything` adds all that open_clip knows."""

    profiles: tuple[Profile, ...]
    everything: bool
    json: bool


def parse_models(argv: Sequence[str]) -> ModelsArguments:
    """Ends in `SystemExit(2)`, after a sentence on stderr, where the words make no sense."""
    parser = _parser()
    values = parser.parse_args(argv)
    try:
        known = load_profiles(profiles_file(values))
    except InterrogatorError as error:
        parser.error(str(error))
    names = list(dict.fromkeys(values.names or known))
    if unknown := [name for name in names if name not in known]:
        parser.error(f"there is no profile “{unknown[0][:40]}”: choose from {', '.join(known)}")
    return ModelsArguments(profiles=tuple(known[name] for name in names), everything=values.all, json=values.json)


def run_models(arguments: ModelsArguments) -> Exit:
    """Write the lists. Nothing is loaded, and the network is not used."""
    from interrogator.engines.clip import known_models  # noqa: PLC0415

    clips = [profile for profile in arguments.profiles if isinstance(profile, ClipProfile)]
    models = known_models(clips, everything=arguments.everything)
    content = models_record(arguments.profiles, models)
    with explained():
        if arguments.json:
            sys.stdout.write(json.dumps(content, ensure_ascii=False) + "\n")
        else:
            sys.stdout.write(f"{_profile_table(content['profiles'])}\n{_model_table(content['models'])}")
            for model in models:
                if model.problem:
                    sys.stdout.write(f"\n{shown(model.name)}: {shown(model.problem)}\n")
        sys.stdout.flush()
    return Exit.OK


def models_record(profiles: Sequence[Profile], models: Sequence[KnownModel]) -> dict[str, Any]:
    """The documented object of `models --json`. Of a profile: `ready` tells whether its models are here, `device` where
    it would compute; `problem` why it cannot, or is null."""
    present: set[tuple[str, str]] = {(model.kind, model.name) for model in models if model.present}
    return {
        "profiles": [_profile_record(profile, present) for profile in profiles],
        "models": [
            {
                "name": model.name,
                "kind": model.kind,
                "bytes": model.bytes,
                "present": model.present,
                "problem": model.problem or None,
            }
            for model in models
        ],
    }


def _profile_record(profile: Profile, present: set[tuple[str, str]]) -> dict[str, Any]:
    """Of the lite engine everything comes with the installed packages."""
    if not isinstance(profile, ClipProfile):
        here = {"ready": True, "device": "cpu", "problem": None}
        return {"name": profile.name, "engine": "lite", "models": [], "captioner": None, **here}
    captioner = None if profile.captioner == NO_CAPTIONER else profile.captioner
    needed = {("clip", name) for name in profile.models} | ({("captioner", captioner)} if captioner else set())
    return {
        "name": profile.name,
        "engine": "clip",
        "models": list(profile.models),
        "captioner": captioner,
        "ready": needed <= present,
        **_device_record(profile),
    }


def _device_record(profile: ClipProfile) -> dict[str, Any]:
    from interrogator.engines.clip import device_of  # noqa: PLC0415

    try:
        return {"device": device_of(profile), "problem": None}
    except UnsupportedOptionError as error:
        return {"device": None, "problem": str(error)}


def _profile_table(profiles: Sequence[dict[str, Any]]) -> str:
    rows = [
        (
            shown(one["name"]),
            "yes" if one["ready"] else f"no: interrogate fetch {shown(one['name'])}",
            " + ".join(map(shown, one["models"])) or "comes with the packages",
            shown(one["captioner"] or ""),
        )
        for one in profiles
    ]
    return aligned([("profile", "on this machine", "models", "captioner"), *rows])


def _model_table(models: Sequence[dict[str, Any]]) -> str:
    rows = [
        (
            shown(one["name"]),
            one["kind"],
            "" if one["bytes"] is None else bytes_text(one["bytes"]),
            "yes" if one["present"] else "no",
        )
        for one in models
    ]
    return aligned([("model", "kind", "size", "on this machine"), *rows], right=[2])


def _parser() -> Parser:
    parser = Parser(
        prog="interrogate models",
        usage="interrogate models [options] [PROFILE ...]",
        description="List the profiles, the models that they are made of, and what of them is on this machine.",
        epilog=EXAMPLES,
    )
    parser.add_argument("names", nargs="*", metavar="PROFILE", help="only these profiles, and their models")
    parser.add_argument("--all", action="store_true", help="every model that open_clip knows, too, without sizes")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    add_profiles_file(parser)
    return parser
