"""What the source says to people is in the catalog of every language, and no catalog has anything else."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from contextvars import copy_context
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

import discord
import pytest

import bot
import interrogator
from bot.cancel_button import cancel_view, stop_view
from bot.commands.about import help_embed
from bot.commands.catalogue import command_tree
from bot.commands.privacy import Choice, PrivacyButton, privacy_embed, privacy_view
from bot.entries import Cursor, Direction, Page, Wanted
from bot.guild_rules import GuildRules
from bot.history_again import AgainSelect
from bot.history_pages import history_view
from bot.measure_buttons import EditForm, edit_view
from bot.question import Choice as Asked
from bot.render_settings import settings_embed
from bot.result_buttons import result_view
from bot.settings_forms import AnswersForm, LimitsForm, PlacesForm, WordsForm, settings_view
from bot.speech import number, retold, speak_to
from bot.text import units
from bot.translation import CATALOGS, replies
from interrogator import file_kinds
from interrogator.file_kinds import WANTED
from interrogator.queue.bounds import queue_is_full, share_is_taken
from interrogator.types import Mode, Options, Stage

T = TypeVar("T")
BOT = Path(bot.__file__).parent
ENGINE = Path(interrogator.__file__).parent
SAYING = {"said", "failure", "tell"}
REFUSALS = {
    "NotAllowedError",
    "BusyError",
    "RateLimitedError",
    "UnsupportedOptionError",
    "EmptyImageError",
    "ImageTooLargeError",
    "UnreadableImageError",
    "InternalError",
    "CancelledError",
}
GIVEN = {  # what is said, but is found elsewhere: given by a caller, or of the engine
    "answers[0].note",
    "interrogation.note",
    "measurement.note",
    "sentence",
    "stage.value[:1].upper()",
    "stage.value[1:]",
    "str(refusal)",
    "told(error)",
    "trouble.told(error)",
}
SHARE = "You have {count} images in the queue already. Please wait until one is done."
NOT_ONE = "{name} is not a picture. {wanted}"
KIND = "That is {kind}, not a picture that I can read. {wanted}"
VALUE = "\0"  # stands for a value in a text, whatever its name


class Module:
    """A file and the texts to which its names lead."""

    def __init__(self, path: Path) -> None:
        self.tree = ast.parse(path.read_text(encoding="utf-8"))
        self.constants: dict[str, ast.expr] = {}
        self.functions: dict[str, ast.FunctionDef] = {}
        for node in self.tree.body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                self.constants[node.targets[0].id] = node.value
            elif isinstance(node, ast.FunctionDef):
                self.functions[node.name] = node


# What `bot doctor` says is for whoever runs the bot.
MODULES = {path: Module(path) for path in BOT.rglob("*.py") if "doctor" not in path.parts}


@cache
def said_texts() -> frozenset[str]:
    """All that the bot says by a function that says something, and the refusals that it raises."""
    found: set[str] = set()
    for module in MODULES.values():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and node.args:
                name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
                if name in SAYING | REFUSALS:
                    found.update(_texts_of(node.args[name == "tell"], module))
    return frozenset(found)


def _texts_of(node: ast.expr, module: Module) -> Iterator[str]:
    """The texts that the expression may be; "?" and its source where that cannot be read."""
    followed = list(_followed(node, module))
    for expression, owner in followed:
        yield from _texts_of(expression, owner)
    if followed:
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield re.sub(r"{\w+}", VALUE, node.value)
    elif isinstance(node, ast.JoinedStr):
        yield _template(node)
    else:
        yield f"?{ast.unparse(node)}"


def _followed(node: ast.expr, module: Module) -> Iterator[tuple[ast.expr, Module]]:
    """Where to look on for the texts of an expression, with the module whose names are meant there."""
    match node:
        case ast.IfExp(_, body, orelse):
            yield from ((body, module), (orelse, module))
        case ast.Subscript(value) if "value" not in ast.unparse(node):
            yield value, module
        case ast.Dict(_, values):
            yield from ((value, module) for value in values)
        case ast.Name(name) | ast.Attribute(_, name) if owner := _owner(name, module):
            yield owner.constants[name], owner
        case ast.Call(ast.Name(name)) if name in module.functions:
            returns = [inner for inner in ast.walk(module.functions[name]) if isinstance(inner, ast.Return)]
            yield from ((inner.value, module) for inner in returns if inner.value is not None)
        case ast.JoinedStr(parts) if not _template(node).replace(VALUE, "").strip():  # texts beside each other
            yield from ((part.value, module) for part in parts if isinstance(part, ast.FormattedValue))


def _owner(name: str, module: Module) -> Module | None:
    """The module with the constant of this name, if any: this one, or another."""
    return next((other for other in (module, *MODULES.values()) if name in other.constants), None)


def _template(node: ast.JoinedStr) -> str:
    return "".join(str(part.value) if isinstance(part, ast.Constant) else VALUE for part in node.values)


def _all_literals() -> Iterator[str]:
    for path in (*BOT.rglob("*.py"), *ENGINE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                yield _template(node)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield re.sub(r"{\w+}", VALUE, node.value)


def _anonymous(text: str) -> str:
    return re.sub(r"{\w+}", VALUE, text)


def test_all_that_the_source_says_is_in_the_languages() -> None:
    known = {_anonymous(text) for text in replies("de")}
    missing = {text for text in said_texts() if not text.startswith("?")} - known
    assert not missing
    assert {text[1:] for text in said_texts() if text.startswith("?")} <= GIVEN
    assert len(said_texts()) > 150  # it does find them


def test_the_languages_have_nothing_that_is_nowhere_in_the_source() -> None:
    stages = {f"{stage.value[:1].upper()}{stage.value[1:]}" for stage in Stage}
    assert stages <= set(replies("de"))
    literals = set(_all_literals())
    patterns = [
        re.compile(".+".join(map(re.escape, literal.split(VALUE))))
        for literal in literals
        if VALUE in literal and len(literal) > 20
    ]
    for text in {_anonymous(text) for text in replies("de")} - literals - stages:
        assert any(pattern.fullmatch(text) for pattern in patterns), text


def in_language(name: str, make: Callable[[], T]) -> T:
    """What is made where the catalog of this name is spoken."""
    [locale, *_] = [locale for locale, catalog in CATALOGS.items() if catalog == name]

    def made() -> T:
        speak_to(SimpleNamespace(locale=locale))  # type: ignore[arg-type]
        return make()

    return copy_context().run(made)


LANGUAGES = sorted(set(CATALOGS.values()))


@pytest.mark.parametrize("name", LANGUAGES)
def test_sentences_with_values_are_recognised_in_every_language(name: str) -> None:
    told = replies(name)
    wanted = told[WANTED]
    sentences = {
        str(queue_is_full(1)): told["The queue is full (1 image waiting). Please try again in a few minutes."],
        str(share_is_taken(3)): told[SHARE].format(count=3),
        f"`{{a}} is not.png` is not a picture. {WANTED}": told[NOT_ONE].format(name="`{a} is not.png`", wanted=wanted),
        f"That is a video, not a picture that I can read. {WANTED}": told[KIND].format(
            kind=told["a video"], wanted=wanted
        ),
    }
    for sentence, translated in sentences.items():
        assert in_language(name, lambda: retold(sentence)) == translated  # noqa: B023
    assert in_language(name, lambda: retold("Nobody has said this.")) == "Nobody has said this."
    assert retold(str(queue_is_full(1))) == str(queue_is_full(1))


def test_what_a_file_is_has_a_word_in_every_language() -> None:
    kinds = {kind.name for _, _, kind in file_kinds._SIGNATURES} | {kind.name for _, kind in file_kinds._MARKUP}
    assert kinds | {file_kinds._AVIF.name, file_kinds._HEIC.name} <= set(replies("de"))


def test_thousands_are_divided_as_in_the_language() -> None:
    assert number(10_000) == "10,000"
    assert {name: in_language(name, lambda: number(10_000)) for name in ("de", "fr", "ja")} == {
        "de": "10.000",
        "fr": "10\u202f000",
        "ja": "10,000",
    }


def buttons_in_every_view() -> list[discord.ui.Item[Any]]:
    options = Options(mode=Mode.FAST, profile="lite")
    page = Page((), newer=Cursor(Direction.NEWER, 1), older=Cursor(Direction.OLDER, 1))
    choices = [discord.SelectOption(label="a picture")]
    views = [
        settings_view(),
        privacy_view(True),
        privacy_view(False),
        history_view(1, Wanted(), page, own=True),
        result_view(options, 1, private=True),
        result_view(replace(options, style_only=True), 1, private=False, starred=True),
        edit_view(options),
        cancel_view(1),
        stop_view(1),
    ]
    items = [item for view in views if view is not None for item in view.children]
    dynamic = [*items, PrivacyButton(Choice.DELETE), AgainSelect(choices)]
    return [getattr(item, "item", item) for item in dynamic]


def forms() -> list[discord.ui.Modal]:
    rules = GuildRules()
    shown: list[discord.ui.Modal] = [AnswersForm(rules, ["lite", "sd1"]), EditForm("a cat", Asked())]
    return [*shown, PlacesForm(rules), LimitsForm(rules), WordsForm(rules)]


@pytest.mark.parametrize("name", LANGUAGES)
def test_buttons_and_menus_are_as_discord_takes_them(name: str) -> None:
    for item in in_language(name, buttons_in_every_view):
        if isinstance(item, discord.ui.Button):
            assert 0 < units(item.label or "") <= 80
        if isinstance(item, discord.ui.Select):
            assert 0 < units(item.placeholder or "") <= 150


@pytest.mark.parametrize("name", LANGUAGES)
def test_forms_are_as_discord_takes_them_and_in_the_language(name: str) -> None:
    english = {label.text for form in forms() for label in form.children if isinstance(label, discord.ui.Label)}
    for form in in_language(name, forms):
        assert 0 < units(form.title) <= 45
        for label in form.children:
            assert isinstance(label, discord.ui.Label)
            assert 0 < units(label.text) <= 45
            assert units(label.description or "") <= 100
            assert label.text not in english - {"Prompt"}
            if isinstance(label.component, discord.ui.Select):
                assert all(0 < units(option.label) <= 100 for option in label.component.options)


@pytest.mark.parametrize("name", LANGUAGES)
def test_help_privacy_and_settings_fit_in_every_language(name: str) -> None:
    tree = command_tree(discord.Client(intents=discord.Intents.none()))
    long = GuildRules(profile="*" * 100, cooldown_seconds=86_400, daily_limit=10_000, blocked=("w" * 60,) * 200)

    def made() -> list[discord.Embed]:
        return [
            help_embed(tree, "p" * 100),
            privacy_embed(True, 30),
            settings_embed(GuildRules()),
            settings_embed(long),
        ]

    for embed in in_language(name, made):
        assert units(embed.description or "") <= 4096
        assert len(embed) <= 6000
        for field in embed.fields:
            assert 0 < units(field.name or "") <= 256
            assert 0 < units(field.value or "") <= 1024
    assert [len(embed.fields) for embed in in_language(name, made)[2:]] == [7, 7]
