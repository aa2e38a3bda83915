"""What was measured of a picture, as embeds within Discord's limits whatever the texts are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import discord

from bot.render import (
    BLOCK_LIMIT,
    COLOUR,
    ENGINE_LIMIT,
    FENCES,
    NOTE_LIMIT,
    SHORTENED,
    seconds_text,
)
from bot.speech import said
from bot.text import code_block, one_line, plain, shorten, units
from interrogator.types import Explanation, Group, Interrogation, Measurement, Mode

LEFT_OUT_LIMIT = 300
GROUP_LIMIT = 400
GROUP_NAME_LIMIT = 60
FAILURE_LIMIT = 200
MOST_BARS = 40  # of a chart that a phone shows
SCORE_FOOTER = "A bar is what the similarity loses without the phrase; red ones do harm."
ANALYSIS_FOOTER = "The phrases of each kind that are nearest to the picture, each by itself."
COMPARISON_FOOTER = "The same picture in five modes. Similarities of one engine may be compared, not those of two."
LEFT_OUT = "Not read by the model, which the prompt is too long for: {phrases}"
NOTHING_NEAR = "Nothing that may be shown here is near to this picture."


@dataclass(frozen=True, slots=True)
class Compared:
    """What one mode made of the picture, or the sentence that says why nothing."""

    mode: Mode
    outcome: Interrogation | str


def scored(prompt: str, measurement: Measurement, *, columns: int | None = None) -> tuple[discord.Embed, str | None]:
    """How well the prompt fits; where there are two explanations, the first is of the prompt before. The embed, and the
    whole prompt where the embed holds only its beginning."""
    *before, now = measurement.explanations
    line = one_line(prompt)
    shortened = units(line) > BLOCK_LIMIT - FENCES
    paragraphs = [code_block(line, BLOCK_LIMIT, columns)]
    if shortened:
        paragraphs.append(said(SHORTENED))
    paragraphs.append(_score_facts(measurement, now, before))
    if left_out := plain(", ".join(now.left_out), LEFT_OUT_LIMIT):
        paragraphs.append(said(LEFT_OUT, phrases=left_out))
    embed = discord.Embed(title=said("How well the prompt fits"), description="\n".join(paragraphs), colour=COLOUR)
    return _with_footer(embed, measurement, said(SCORE_FOOTER)), line if shortened else None


def score_chart(explanation: Explanation) -> list[Group]:
    """The bars of the phrases, in the prompt's order."""
    bars = tuple((one_line(phrase.text), phrase.contribution) for phrase in explanation.phrases[:MOST_BARS])
    return [Group("contribution", bars)]


def analysed(measurement: Measurement) -> discord.Embed:
    """The nearest phrases, a line a group."""
    lines = [_group_line(group) for group in measurement.groups] or [said(NOTHING_NEAR)]
    text = "\n".join([*lines, _facts(measurement)])
    embed = discord.Embed(title=said("Nearest phrases"), description=text, colour=COLOUR)
    return _with_footer(embed, measurement, said(ANALYSIS_FOOTER))


def analysis_chart(measurement: Measurement) -> list[Group]:
    """The bars of the groups."""
    return [
        Group(one_line(group.name), tuple((one_line(text), value) for text, value in group.nearest))
        for group in measurement.groups
    ]


def compared(found: Sequence[Compared], *, columns: int | None = None) -> tuple[discord.Embed, str | None]:
    """The modes one under the other, the most similar marked. The embed, and all prompts as a text where the embed
    does not hold the whole of each."""
    answers = [one.outcome for one in found if isinstance(one.outcome, Interrogation)]
    highest = max((answer.similarity for answer in answers), default=None)
    room = BLOCK_LIMIT // max(len(found), 1)
    paragraphs = []
    for one in found:
        if isinstance(one.outcome, str):
            paragraphs.append(f"**{one.mode.value}** · {shorten(one.outcome, FAILURE_LIMIT)}")
            continue
        first = "▲ " if one.outcome.similarity == highest else ""
        known = f", {said('known from before')}" if one.outcome.cached else ""
        paragraphs.append(
            f"{first}**{one.mode.value}** · {said('similarity')} **{one.outcome.similarity:.3f}** · "
            f"{seconds_text(one.outcome.seconds)}{known}\n{code_block(one.outcome.prompt, room, columns)}"
        )
    shortened = any(units(one_line(answer.prompt)) > room - FENCES for answer in answers)
    embed = discord.Embed(title=said("Modes compared"), description="\n".join(paragraphs), colour=COLOUR)
    if shortened:
        embed.description = f"{embed.description}\n{said(SHORTENED)}"
    notes = [shorten(one_line(said(answers[0].note)), NOTE_LIMIT)] if answers else []
    embed.set_footer(text="\n".join(filter(None, [*notes, said(COMPARISON_FOOTER)])))
    whole = "\n".join(f"{answer.mode.value}\t{answer.similarity:.4f}\t{one_line(answer.prompt)}" for answer in answers)
    return embed, whole if shortened else None


def _group_line(group: Group) -> str:
    """As many of the phrases as fit."""
    line = f"**{plain(group.name, GROUP_NAME_LIMIT)}** "
    pieces: list[str] = []
    for text, similarity in group.nearest:
        piece = f"{plain(text, GROUP_LIMIT)} {similarity:.3f}"
        if units(line) + sum(units(one) + 3 for one in (*pieces, piece)) > GROUP_LIMIT:
            break
        pieces.append(piece)
    return line + " · ".join(pieces)


def _score_facts(measurement: Measurement, now: Explanation, before: Sequence[Explanation]) -> str:
    facts = [f"{said('similarity')} **{now.similarity:.3f}**"]
    for earlier in before:
        difference = now.similarity - earlier.similarity
        facts.append(f"{said('before')} **{earlier.similarity:.3f}**, {said('difference')} **{difference:+.3f}**")
    return " · ".join([*facts, _facts(measurement)])


def _facts(measurement: Measurement) -> str:
    facts = [f"{said('engine')} **{plain(measurement.engine, ENGINE_LIMIT)}**"]
    if measurement.profile != measurement.engine:
        facts.append(f"{said('profile')} **{plain(measurement.profile, ENGINE_LIMIT)}**")
    known = f", {said('known from before')}" if measurement.cached else ""
    facts.append(f"{seconds_text(measurement.seconds)}{known}")
    if measurement.frames > 1:
        facts.append(said("frame {frame} of {frames}", frame=measurement.frame, frames=measurement.frames))
    return " · ".join(facts)


def _with_footer(embed: discord.Embed, measurement: Measurement, sentence: str) -> discord.Embed:
    note = shorten(one_line(said(measurement.note)), NOTE_LIMIT)
    return embed.set_footer(text="\n".join(filter(None, [note, sentence])))
