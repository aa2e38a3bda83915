"""What is found out of a picture beside its prompt, as the answer to an inquiry: how well a prompt fits, which phrases
are near, how the modes differ."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from io import BytesIO

import discord

from bot import attachments, render, render_measure
from bot.inquiry import Find, Inquiry
from bot.render_measure import Compared
from bot.reply import Content
from bot.text import one_line
from bot.trouble import told
from interrogator.errors import CancelledError, InterrogatorError, UnsupportedOptionError
from interrogator.types import Group, Measure, Mode, Options

MAX_PROMPT = 4000  # characters: what Discord lets a person write into a field
TOP = 5  # phrases of a group
COMPARED = (Mode.CAPTION, Mode.CLASSIC, Mode.FAST, Mode.TURBO, Mode.BEST)
CHART_INCHES, CHART_LETTERS = 4.5, 28  # what can be read on a phone
COMPARISON_FILE = "prompts.txt"
NO_WORDS = "There is no prompt to measure. Please write at least one word."

Buttons = Callable[[Options], discord.ui.View]
"""What stands under an answer that carries its picture."""


def check_prompt(text: str) -> str:
    """The prompt on one line. UnsupportedOptionError where it has no words, or more than `MAX_PROMPT` characters."""
    prompt = one_line(text)
    if not prompt.replace(",", "").strip():
        raise UnsupportedOptionError(NO_WORDS)
    if len(prompt) > MAX_PROMPT:
        raise UnsupportedOptionError(f"The prompt is longer than {MAX_PROMPT} characters. Please shorten it.")
    return prompt


def scoring(prompt: str, buttons: Buttons, before: str | None = None) -> Find:
    """How well the prompt fits, what each of its phrases contributes, and the difference to another one."""
    prompts = (prompt,) if before is None else (before, prompt)

    async def find(inquiry: Inquiry) -> Callable[[bool], Content]:
        measurement = await inquiry.measure(Measure(prompts=prompts))
        columns = inquiry.interaction.client.display.columns
        embed, whole = render_measure.scored(prompt, measurement, columns=columns)
        chart = await _chart(render_measure.score_chart(measurement.explanations[-1]), "What each phrase contributes")
        return _content(inquiry, embed, chart=chart, texts={render.PROMPT_FILE: whole}, buttons=buttons)

    return find


def analysing() -> Find:
    """The nearest phrases of every group."""

    async def find(inquiry: Inquiry) -> Callable[[bool], Content]:
        measurement = await inquiry.measure(Measure(top=TOP))
        groups = render_measure.analysis_chart(measurement)
        chart = await _chart(groups, "Nearest phrases", columns=2) if groups else None
        return _content(inquiry, render_measure.analysed(measurement), chart=chart)

    return find


def comparing(buttons: Buttons) -> Find:
    """The prompts of the modes, one after the other; one that fails is told of, unless all do."""

    async def find(inquiry: Inquiry) -> Callable[[bool], Content]:
        found: list[Compared] = []
        failures: list[InterrogatorError] = []
        for number, mode in enumerate(COMPARED):
            inquiry.prefix = f"{number + 1}/{len(COMPARED)} {mode.value} "
            try:
                found.append(Compared(mode, await inquiry.interrogate(replace(inquiry.options, mode=mode))))
            except CancelledError:
                raise
            except InterrogatorError as error:
                failures.append(error)
                found.append(Compared(mode, render.failure(told(error))))
        if len(failures) == len(COMPARED):
            raise failures[0]
        columns = inquiry.interaction.client.display.columns
        embed, whole = render_measure.compared(found, columns=columns)
        return _content(inquiry, embed, texts={COMPARISON_FILE: whole}, buttons=buttons)

    return find


async def _chart(groups: Sequence[Group], title: str, columns: int = 1) -> bytes:
    """A PNG; drawn in a thread, as it takes some tenths of a second."""

    def drawn() -> bytes:
        from interrogator.chart import Layout, draw  # noqa: PLC0415  matplotlib: many bots never draw

        file = BytesIO()
        draw(groups, file, title=title, layout=Layout(CHART_INCHES * columns, CHART_LETTERS, columns))
        return file.getvalue()

    return await asyncio.to_thread(drawn)


def _content(
    inquiry: Inquiry,
    embed: discord.Embed,
    *,
    chart: bytes | None = None,
    texts: dict[str, str | None] | None = None,
    buttons: Buttons | None = None,
) -> Callable[[bool], Content]:
    """With the picture, for the buttons; without any file where Discord takes none."""

    def make(with_files: bool) -> Content:
        name, is_shown = attachments.shown_name(inquiry.image)
        kept = with_files and len(inquiry.image) <= inquiry.interaction.filesize_limit
        copy = embed.copy()
        files = [discord.File(BytesIO(inquiry.image), name)] if kept else []
        if kept and is_shown:
            copy.set_thumbnail(url=f"attachment://{name}")
        if with_files and chart is not None:
            files.append(discord.File(BytesIO(chart), attachments.CHART))
            copy.set_image(url=f"attachment://{attachments.CHART}")
        if with_files:
            files += [
                discord.File(BytesIO(text.encode("utf-8", "replace")), file_name)
                for file_name, text in (texts or {}).items()
                if text is not None
            ]
        view = buttons(inquiry.options) if kept and buttons is not None else None
        return Content(embed=copy, view=view, files=files)

    return make
