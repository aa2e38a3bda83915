"""The forms of /settings. Each changes a part of the rules; what another admin changed meanwhile stays."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Any, Self

import discord

from bot.boundary import guarded
from bot.form import GuardedForm
from bot.guild_rules import (
    LONGEST_COOLDOWN,
    MOST_A_DAY,
    MOST_CHOSEN,
    PROFILE_LIMIT,
    GuildRules,
    number_from,
    phrases_from,
    words_from,
)
from bot.policy import answered_in_time, guild_of_admin
from bot.render_settings import settings_embed
from bot.speech import said
from interrogator.errors import UnsupportedOptionError
from interrogator.types import Mode

_BUTTON = discord.ui.Button[discord.ui.View]
OWN = "\N{MIDDLE DOT}own"  # no profile is called so
WORDS_LENGTH = 4000


class Form(StrEnum):
    """A part of the rules."""

    ANSWERS = "answers"
    PLACES = "places"
    LIMITS = "limits"
    WORDS = "words"


_LABELS = {Form.ANSWERS: "Answers …", Form.PLACES: "Who and where …", Form.LIMITS: "Limits …", Form.WORDS: "Words …"}
OF_THE_BOT = "the bot's own default"
SECONDS = "Seconds, up to {most}; 0 for none"
PICTURES = "Pictures, up to {most}; 0 for no limit"


class FormButton(discord.ui.DynamicItem[_BUTTON], template=r"settings:v1:(?P<form>answers|places|limits|words)"):
    """Opens a form, for those who may manage the server at that moment."""

    def __init__(self, form: Form) -> None:
        super().__init__(discord.ui.Button(label=said(_LABELS[form]), custom_id=f"settings:v1:{form.value}"))
        self.form = form

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], _item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """The button as it was sent."""
        return cls(Form(match["form"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Show the form with what is decided now."""
        async with guarded(interaction):
            rules = await interaction.client.rules_of(guild_of_admin(interaction))
            offered = interaction.client.settings.offered
            form = AnswersForm(rules, offered) if self.form is Form.ANSWERS else _FORMS[self.form](rules)
            await interaction.response.send_modal(form)


def settings_view() -> discord.ui.View:
    """A button a form."""
    view = discord.ui.View(timeout=None)
    for form in Form:
        view.add_item(FormButton(form))
    return view


class _RulesForm(GuardedForm, ABC):
    """A form that changes some of the rules."""

    @abstractmethod
    def change(self, rules: GuildRules) -> GuildRules:
        """The rules as the form says. Raises UnsupportedOptionError for what makes no sense."""

    async def on_submit(self, interaction: discord.Interaction[Any]) -> None:
        """Decide it, and show everything."""
        guild_id = guild_of_admin(interaction)
        bot = interaction.client
        rules = self.change(await bot.rules_of(guild_id))
        async with answered_in_time():
            await bot.rulebook.decide(guild_id, rules, interaction.user.id)
        await interaction.response.edit_message(embed=settings_embed(rules))


class AnswersForm(_RulesForm):
    """Mode, privacy, artists, and the profile where there are several."""

    def __init__(self, rules: GuildRules, offered: Sequence[str]) -> None:
        super().__init__(title=said("Answers"))
        chosen = rules.mode.value if rules.mode is not None else OWN
        modes = [(said(OF_THE_BOT), OWN), *((mode.value, mode.value) for mode in Mode)]
        self.mode: discord.ui.Select[Any] = discord.ui.Select(
            custom_id="mode",
            options=[discord.SelectOption(label=label, value=value, default=value == chosen) for label, value in modes],
        )
        profiles = [(said(OF_THE_BOT), OWN), *((name, name) for name in offered if len(name) <= PROFILE_LIMIT)]
        wanted = rules.profile if rules.profile in offered else OWN
        self.profile: discord.ui.Select[Any] = discord.ui.Select(
            custom_id="profile",
            options=[
                discord.SelectOption(label=label, value=value, default=value == wanted)
                for label, value in profiles[:MOST_CHOSEN]
            ],
        )
        self.private: discord.ui.Checkbox[Any] = discord.ui.Checkbox(custom_id="private", default=rules.private)
        self.artists: discord.ui.Checkbox[Any] = discord.ui.Checkbox(custom_id="artists", default=rules.artists)
        self.add_item(discord.ui.Label(text=said("Mode where none is chosen"), component=self.mode))
        self.several = len(offered) > 1
        if self.several:
            self.add_item(discord.ui.Label(text=said("Profile where none is chosen"), component=self.profile))
        self.add_item(discord.ui.Label(text=said("Answers for the asker alone"), component=self.private))
        self.add_item(discord.ui.Label(text=said("Artists' names in prompts"), component=self.artists))

    def change(self, rules: GuildRules) -> GuildRules:
        """As `_RulesForm.change`."""
        [chosen] = self.mode.values
        mode = None if chosen == OWN else Mode(chosen)
        if self.several:
            [profile] = self.profile.values
            rules = replace(rules, profile="" if profile == OWN else profile)
        return replace(rules, mode=mode, private=self.private.value, artists=self.artists.value)


class PlacesForm(_RulesForm):
    """Roles and channels."""

    def __init__(self, rules: GuildRules) -> None:
        super().__init__(title=said("Who and where"))
        self.roles: discord.ui.RoleSelect[Any] = discord.ui.RoleSelect(
            custom_id="roles",
            min_values=0,
            max_values=MOST_CHOSEN,
            required=False,
            default_values=[
                discord.SelectDefaultValue(id=role, type=discord.SelectDefaultValueType.role) for role in rules.roles
            ],
        )
        self.channels: discord.ui.ChannelSelect[Any] = discord.ui.ChannelSelect(
            custom_id="channels",
            min_values=0,
            max_values=MOST_CHOSEN,
            required=False,
            default_values=[
                discord.SelectDefaultValue(id=channel, type=discord.SelectDefaultValueType.channel)
                for channel in rules.channels
            ],
        )
        everyone = said("Nothing chosen: everyone")
        self.add_item(discord.ui.Label(text=said("Roles that may ask"), description=everyone, component=self.roles))
        everywhere = said("Nothing chosen: everywhere")
        self.add_item(
            discord.ui.Label(text=said("Channels to ask in"), description=everywhere, component=self.channels)
        )

    def change(self, rules: GuildRules) -> GuildRules:
        """As `_RulesForm.change`."""
        roles, channels = (tuple(chosen.id for chosen in menu.values) for menu in (self.roles, self.channels))
        return replace(rules, roles=roles, channels=channels)


class LimitsForm(_RulesForm):
    """Cooldown and daily limit."""

    def __init__(self, rules: GuildRules) -> None:
        super().__init__(title=said("Limits"))
        self.cooldown = _number("cooldown", rules.cooldown_seconds)
        self.daily = _number("daily", rules.daily_limit)
        seconds = said(SECONDS, most=LONGEST_COOLDOWN)
        self.add_item(
            discord.ui.Label(text=said("Between two questions"), description=seconds, component=self.cooldown)
        )
        pictures = said(PICTURES, most=MOST_A_DAY)
        self.add_item(discord.ui.Label(text=said("A person and day"), description=pictures, component=self.daily))

    def change(self, rules: GuildRules) -> GuildRules:
        """As `_RulesForm.change`."""
        cooldown = _whole(self.cooldown.value, LONGEST_COOLDOWN, "The seconds between two questions")
        daily = _whole(self.daily.value, MOST_A_DAY, "The pictures a person and day")
        return replace(rules, cooldown_seconds=cooldown, daily_limit=daily)


class WordsForm(_RulesForm):
    """Blocked words, phrases of the server's own, and safe words only."""

    def __init__(self, rules: GuildRules) -> None:
        super().__init__(title=said("Words"))
        self.blocked: discord.ui.TextInput[Any] = discord.ui.TextInput(
            custom_id="blocked",
            style=discord.TextStyle.paragraph,
            default="\n".join(rules.blocked)[:WORDS_LENGTH],
            required=False,
            max_length=WORDS_LENGTH,
        )
        self.extra: discord.ui.TextInput[Any] = discord.ui.TextInput(
            custom_id="extra",
            style=discord.TextStyle.paragraph,
            default="\n".join(rules.extra)[:WORDS_LENGTH],
            required=False,
            max_length=WORDS_LENGTH,
        )
        self.safe: discord.ui.Checkbox[Any] = discord.ui.Checkbox(custom_id="safe", default=rules.safe_only)
        lines = said("No prompt has a phrase with one of these. One a line, or divided by commas")
        self.add_item(discord.ui.Label(text=said("Blocked words"), description=lines, component=self.blocked))
        own = said("Used in prompts where they suit the picture. One a line, or divided by commas")
        self.add_item(discord.ui.Label(text=said("Phrases of your own"), description=own, component=self.extra))
        where = said("In other channels there are none in any case")
        self.add_item(
            discord.ui.Label(
                text=said("No sexual words in age-restricted channels"), description=where, component=self.safe
            )
        )

    def change(self, rules: GuildRules) -> GuildRules:
        """As `_RulesForm.change`."""
        extra = phrases_from(self.extra.value)
        return replace(rules, blocked=words_from(self.blocked.value), extra=extra, safe_only=self.safe.value)


_FORMS: dict[Form, Callable[[GuildRules], GuardedForm]] = {
    Form.PLACES: PlacesForm,
    Form.LIMITS: LimitsForm,
    Form.WORDS: WordsForm,
}


def _number(name: str, value: int) -> discord.ui.TextInput[Any]:
    return discord.ui.TextInput(custom_id=name, default=str(value), required=False, max_length=9)


def _whole(text: str, most: int, what: str) -> int:
    number = number_from(text, most)
    if number is None:
        raise UnsupportedOptionError(f"{what} must be a whole number from 0 to {most}.")
    return number
