"""The difference between Discord's commands and ours."""

from __future__ import annotations

import copy
from typing import Any

import discord
import pytest

from bot.command_changes import Kind, changes, described
from bot.commands.catalogue import command_tree

Json = dict[str, Any]


@pytest.fixture
def ours() -> list[Json]:
    tree = command_tree(discord.Client(intents=discord.Intents.none()))
    return [command.to_dict(tree) for command in tree.get_commands()]


@pytest.fixture
def theirs(ours: list[Json]) -> list[Json]:
    """The same, as Discord answers: with its own fields, in its own order, without what is so by default."""
    answered = []
    for number, command in enumerate(reversed(copy.deepcopy(ours))):
        command.update(id=str(number), application_id="1", version="2", name_localizations=None, dm_permission=True)
        command["contexts"].reverse()
        for option in command.get("options", []):
            if not option["required"]:
                del option["required"]
        answered.append({key: value for key, value in command.items() if value != []})
    return answered


def named(commands: list[Json], name: str) -> Json:
    return next(command for command in commands if command["name"] == name)


def test_what_discord_has_made_of_ours_is_ours(ours: list[Json], theirs: list[Json]) -> None:
    assert changes(ours, theirs) == []


def test_all_is_new_to_a_new_application(ours: list[Json]) -> None:
    assert [(change.kind, change.payload) for change in changes(ours, [])] == [(Kind.ADDED, one) for one in ours]


def test_one_that_we_do_not_have_goes(ours: list[Json], theirs: list[Json]) -> None:
    old = {"name": "imagine", "type": 1, "id": "77", "description": "of another time"}
    [change] = changes(ours, [*theirs, old])
    assert (change.kind, change.name, change.payload["id"]) == (Kind.REMOVED, "/imagine", "77")
    assert described(change) == "- /imagine removed"


def test_the_same_name_of_another_type_is_another_command(ours: list[Json], theirs: list[Json]) -> None:
    named(theirs, "help")["type"] = 3
    assert [(change.kind, change.name) for change in changes(ours, theirs)] == [
        (Kind.ADDED, "/help"),
        (Kind.REMOVED, "help"),
    ]


def test_a_change_says_what_has_changed(ours: list[Json], theirs: list[Json]) -> None:
    known = named(theirs, "interrogate")
    known["description"] = "Something else"
    known["options"][0].pop("required")
    known["options"][1]["choices"][0]["value"] = "old"
    del known["options"][-1]
    [change] = changes(ours, theirs)
    assert described(change).splitlines() == [
        "~ /interrogate changed",
        '    description: "Something else" -> "Turn a picture into a prompt for text-to-image models"',
        "    options.image.required: added, true",
        '    options.image5: added, {"type": 11, "name": "image5",'
        ' "description": "one more picture, answered in a message of its own"}',
        '    options.mode.choices.turbo: a quick search for the closest prompt.value: "old" -> "turbo"',
    ]


def test_another_order_of_options_is_a_change(ours: list[Json], theirs: list[Json]) -> None:
    known = named(theirs, "interrogate")
    known["options"].insert(1, known["options"].pop())
    [change] = changes(ours, theirs)
    order = ", ".join(option["name"] for option in named(ours, "interrogate")["options"])
    assert change.details == (f"options: in another order, {order}",)


@pytest.mark.parametrize(
    ("key", "value", "detail"),
    [
        ("contexts", [0], "contexts: [0] -> [0, 1, 2]"),
        ("nsfw", True, "nsfw: removed, was true"),
        ("default_member_permissions", "0", 'default_member_permissions: removed, was "0"'),
    ],
)
def test_where_and_for_whom_it_is_is_a_change(
    ours: list[Json], theirs: list[Json], key: str, value: object, detail: str
) -> None:
    named(theirs, "history")[key] = value
    [change] = changes(ours, theirs)
    assert change.details == (detail,)


def test_permissions_are_compared_as_numbers(ours: list[Json], theirs: list[Json]) -> None:
    named(ours, "help")["default_member_permissions"] = 8
    named(theirs, "help")["default_member_permissions"] = "8"
    assert changes(ours, theirs) == []


def test_a_least_value_of_zero_is_no_default() -> None:
    option = {"name": "seed", "type": 4, "description": "any"}
    mine = {"name": "go", "type": 1, "description": "go", "options": [{**option, "min_value": 0}]}
    [change] = changes([mine], [{**mine, "options": [option]}])
    assert change.details == ("options.seed.min_value: added, 0",)


def test_a_translation_is_a_change() -> None:
    mine = {"name": "go", "type": 1, "description": "go", "name_localizations": {"de": "los"}}
    [change] = changes([mine], [{**mine, "name_localizations": {"de": "geh"}}])
    assert change.details == ('name_localizations.de: "geh" -> "los"',)


def test_a_long_or_strange_value_is_shown_short_and_harmless() -> None:
    mine = {"name": "go", "type": 1, "description": "go"}
    [change] = changes([mine], [{**mine, "description": "\x1b[2J" + "x" * 500}])
    assert len(change.details[0]) < 150
    assert "\x1b" not in change.details[0]
