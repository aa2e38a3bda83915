"""The command line of `interrogate`, checked before anything heavy is imported."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from interrogator.cli.commands.analyze import AnalyzeArguments, parse_analyze
from interrogator.cli.commands.fetch import FetchArguments, parse_fetch
from interrogator.cli.commands.interrogate import InterrogateArguments, parse_interrogate
from interrogator.cli.commands.models import ModelsArguments, parse_models
from interrogator.cli.commands.score import ScoreArguments, parse_score
from interrogator.cli.commands.serve import ServeArguments, parse_serve

Arguments = InterrogateArguments | AnalyzeArguments | ScoreArguments | ModelsArguments | FetchArguments | ServeArguments

COMMANDS: dict[str, Callable[[Sequence[str]], Arguments]] = {
    "analyze": parse_analyze,
    "score": parse_score,
    "models": parse_models,
    "fetch": parse_fetch,
    "serve": parse_serve,
}


def parse(argv: Sequence[str]) -> Arguments:
    """What was asked. Ends in `SystemExit(2)`, after a sentence on stderr, where the words make no sense."""
    first = argv[0] if argv else ""
    if first in COMMANDS:
        return COMMANDS[first](argv[1:])
    return parse_interrogate(argv)
