"""Data to Discord messages: pure functions, within Discord's limits whatever the texts are."""

from __future__ import annotations

from dataclasses import dataclass

import discord

from bot.text import ELLIPSIS, code_block, plain, shorten, units
from interrogator.types import Interrogation, Mode, Options, Progress, Queued

COLOUR = discord.Colour(0x4F6BED)
BLOCK_LIMIT = 2800  # the prompt's block; a longer prompt comes as a file too
CAPTION_LIMIT = 500
NOTE_LIMIT = 600
ENGINE_LIMIT = 120
CONTENT_LIMIT = 1900
BAR_CELLS = 10

DISCLAIMER = "A reconstruction, not the hidden original prompt."
NOTHING_FOUND = "The engine is not sure enough of this picture to name anything in it. Another mode may say more."
IMAGE_NOT_KEPT = "The picture is too large to attach here: send it again to try another mode."
SHORTENED = "Shortened here; the whole of it is in the file."


@dataclass(frozen=True, slots=True)
class Answer:
    """A rendered result. `prompt_file` is the whole prompt where the embed holds only its beginning."""

    embed: discord.Embed
    prompt_file: str | None = None


def answer(interrogation: Interrogation, *, picture: str | None, kept: bool = True) -> Answer:
    """The embed of a result.

    `picture` is the address of its thumbnail (`attachment://name`), None for a format that Discord does not show.
    `kept` tells whether the picture is attached at all, and so whether buttons can ask about it again.
    """
    embed = discord.Embed(title=_title(interrogation), colour=COLOUR)
    block = code_block(interrogation.prompt, BLOCK_LIMIT)
    shortened = block.endswith(f"{ELLIPSIS}\n```") and not interrogation.prompt.endswith(ELLIPSIS)
    if not interrogation.prompt.strip():
        embed.description = NOTHING_FOUND
    else:
        embed.description = f"{block}\n{SHORTENED}" if shortened else block
    caption = plain(interrogation.caption, CAPTION_LIMIT)
    if caption and interrogation.mode is not Mode.CAPTION:
        embed.add_field(name="Caption", value=caption, inline=False)
    embed.add_field(name="Similarity", value=f"{interrogation.similarity:.3f}")
    embed.add_field(name="Mode", value=mode_name(interrogation.mode, style_only=interrogation.style_only))
    embed.add_field(name="Engine", value=_engine(interrogation))
    notes = [plain(interrogation.note, NOTE_LIMIT), "" if kept else IMAGE_NOT_KEPT]
    if any(notes):
        embed.add_field(name="Good to know", value="\n".join(filter(None, notes)), inline=False)
    embed.set_footer(text=DISCLAIMER)
    if picture is not None:
        embed.set_thumbnail(url=picture)
    return Answer(embed, interrogation.prompt if shortened else None)


def mode_name(mode: Mode, *, style_only: bool = False) -> str:
    """How a mode is called in messages."""
    return f"{mode.value}, style only" if style_only else mode.value


def status(event: Queued | Progress) -> str:
    """One line on what happens to the job now."""
    match event:
        case Queued(position, eta):
            place = "You are next" if position <= 1 else f"Waiting in line, position {position}"
            return f"⏳ {place}{'' if eta is None else f', about {_seconds(max(eta, 0))}'} {ELLIPSIS}"
        case Progress(stage, done, total):
            stage_name = f"{stage.value[:1].upper()}{stage.value[1:]}"
            if total <= 0:
                return f"⏳ {stage_name} {ELLIPSIS}"
            done = min(max(done, 0), total)
            filled = BAR_CELLS * done // total
            return f"⏳ {stage_name} {'▰' * filled}{'▱' * (BAR_CELLS - filled)} {done}/{total}"


def failure(sentence: str) -> str:
    """The message of a request that was not answered."""
    return f"⚠️ {shorten(' '.join(sentence.split()), CONTENT_LIMIT)}"


def refused_options(options: Options) -> str | None:
    """Why the options have no meaning, or None where they have."""
    if options.style_only and options.mode is Mode.CAPTION:
        return "A caption says what is in the picture, so it has no style-only form. Choose another mode for the style."
    return None


def _title(interrogation: Interrogation) -> str:
    if interrogation.mode is Mode.CAPTION:
        return "Caption"
    if interrogation.mode is Mode.NEGATIVE:
        return "Negative prompt"
    return "Style prompt" if interrogation.style_only else "Prompt"


def _engine(interrogation: Interrogation) -> str:
    name = plain(interrogation.engine, ENGINE_LIMIT) or plain(interrogation.profile, ENGINE_LIMIT)
    return f"{name} · {_seconds(interrogation.seconds)}"


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"


def fits(embed: discord.Embed) -> bool:
    """Whether Discord takes the embed: 4,096 for the description, 1,024 a field, 6,000 in all."""
    parts = [embed.title or "", embed.description or "", embed.footer.text or ""]
    fields = [text or "" for field in embed.fields for text in (field.name, field.value)]
    return (
        units(embed.description or "") <= 4096
        and all(0 < units(text) <= 1024 for text in fields)
        and len(embed.fields) <= 25
        and sum(map(units, parts + fields)) <= 6000
    )
