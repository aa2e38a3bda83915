"""Data to Discord messages: pure functions, within Discord's limits whatever the texts are."""

from __future__ import annotations

from dataclasses import dataclass

import discord

from bot.speech import retold, said
from bot.text import ELLIPSIS, code_block, inline_code, message_line, one_line, plain, shorten, units
from interrogator.limits import MAX_SUBJECT
from interrogator.types import Embedded, Interrogation, Mode, Options, Progress, Queued

COLOUR = discord.Colour(0x4F6BED)
BLOCK_LIMIT = 2800  # the prompt with its fences
EMBEDDED_LIMIT = 1200  # of what the file carries, which takes from the room of the prompt
NEGATIVE_LIMIT = 300
SETTINGS_LIMIT = 300
FENCES = 8
CAPTION_LIMIT = 500
SUBJECT_LIMIT = 2 * MAX_SUBJECT + 2
NOTE_LIMIT = 600
ENGINE_LIMIT = 120
GENERATOR_LIMIT = 60  # the name of the program that made the picture
CONTENT_LIMIT = 1900
BAR_CELLS = 10
_ANY = 1_000_000  # units: more than any text here has

PROMPT_FILE, EMBEDDED_FILE = "prompt.txt", "embedded.txt"
STYLELESS = frozenset({Mode.CAPTION, Mode.NEGATIVE})
SUBJECT = "Subject: "  # what stands before it in an answer, where buttons find it
NOT_FOR_EVERYONE = (
    "This picture may not be fit to be shown to everyone, so the answer is for you alone. "
    "In an age-restricted channel it would be public."
)
EMBEDDED = "**Embedded in the file**"
RECONSTRUCTED = "**Reconstructed from the picture**"
DISCLAIMER = "A reconstruction, not the hidden original prompt."
NOTHING_FOUND = "The engine is not sure enough of this picture to name anything in it. Another mode may say more."
IMAGE_NOT_KEPT = "The picture is too large to attach here: send it again to try another mode."
EMBEDDED_SHORTENED = "-# Shortened here; embedded.txt has the whole of it."
SHORTENED = "Shortened here; the whole of it is in the file."


@dataclass(frozen=True, slots=True)
class Display:
    """What the reader's client cannot do: `columns` breaks prompts where it does not wrap code blocks, `times` is the
    style of timestamps (absolute where its clock stands still). The defaults are for Discord."""

    columns: int | None = None
    times: str = "R"


@dataclass(frozen=True, slots=True)
class Answer:
    """A rendered result. `prompt_file` is the whole prompt where the embed holds only its beginning, `embedded_file`
    all that the picture's file says where the embed holds only a part of it."""

    embed: discord.Embed
    prompt_file: str | None = None
    embedded_file: str | None = None


def answer(
    interrogation: Interrogation,
    *,
    picture: str | None,
    kept: bool = True,
    with_files: bool = True,
    columns: int | None = None,
) -> Answer:
    """The embed of a result.

    `picture` is the address of its thumbnail (`attachment://name`), None for a format that Discord does not show.
    `kept` tells whether the picture is attached at all, and so whether buttons can ask about it again.
    `with_files` where the whole of what is shortened comes as a file. `columns` as in `bot.text.code_block`.
    """
    prompt = one_line(interrogation.prompt)
    carried = embedded(interrogation.embedded, columns) if interrogation.embedded else ""
    carried_whole = embedded_file(interrogation.embedded) if interrogation.embedded else None
    if carried_whole is not None and with_files:
        carried += f"\n{said(EMBEDDED_SHORTENED)}"
    subject = inline_code(interrogation.subject, SUBJECT_LIMIT)
    limit = BLOCK_LIMIT - units(carried) - units(subject)
    shortened = units(prompt) > limit - FENCES  # comes as a file too
    paragraphs = [carried, said(RECONSTRUCTED)] if carried else []
    paragraphs.append(code_block(prompt, limit, columns) if prompt else said(NOTHING_FOUND))
    if shortened and with_files:
        paragraphs.append(said(SHORTENED))
    caption = one_line(interrogation.caption)
    if subject:
        paragraphs.append(f"{said(SUBJECT)}{subject}")
    elif caption and not prompt.startswith(caption) and not interrogation.style_only:
        paragraphs.append(f"{said('Caption')}: {plain(caption, CAPTION_LIMIT)}")
    paragraphs.append(_facts(interrogation))
    if not kept:
        paragraphs.append(said(IMAGE_NOT_KEPT))
    embed = discord.Embed(title=_title(interrogation), description="\n".join(paragraphs), colour=COLOUR)
    note = shorten(one_line(said(interrogation.note)), NOTE_LIMIT)
    embed.set_footer(text="\n".join(filter(None, [note, said(DISCLAIMER)])))
    if picture is not None:
        embed.set_thumbnail(url=picture)
    return Answer(embed, prompt if shortened else None, carried_whole)


def embedded(found: Embedded, columns: int | None = None) -> str:
    """What the file says of how its picture was made, at most `EMBEDDED_LIMIT` units: the prompt in a block."""
    head, rest, room = _around_embedded(found)
    block = [code_block(found.prompt, room, columns)] if one_line(found.prompt) else []
    return "\n".join([head, *block, *rest])


def embedded_file(found: Embedded) -> str | None:
    """All of that as A1111 writes it, where `embedded` shortens it; else None."""
    _, _, room = _around_embedded(found)
    settings = _settings(found)
    fits = (
        units(one_line(found.prompt)) + FENCES <= room
        and units(plain(found.negative, _ANY)) <= NEGATIVE_LIMIT
        and units(plain(settings, _ANY)) <= SETTINGS_LIMIT
    )
    if fits:
        return None
    pairs = ", ".join(f"{name}: {value}" for name, value in found.settings)
    negative = f"Negative prompt: {found.negative}" if found.negative else ""
    return "\n".join(filter(None, [found.prompt, negative, pairs]))


def _around_embedded(found: Embedded) -> tuple[str, list[str], int]:
    """The lines before and after the prompt, and the room that is left for it."""
    head = f"{said(EMBEDDED)} ({plain(found.generator, GENERATOR_LIMIT)})"
    rest: list[str] = []
    if negative := plain(found.negative, NEGATIVE_LIMIT):
        rest.append(f"{said('Negative: ')}{negative}")
    if shown := plain(_settings(found), SETTINGS_LIMIT):
        rest.append(f"-# {shown}")
    return head, rest, EMBEDDED_LIMIT - sum(units(line) + 1 for line in (head, *rest))


def _settings(found: Embedded) -> str:
    return " · ".join(f"{name} {value}" for name, value in found.settings)


def mode_name(mode: Mode, *, style_only: bool = False, subject: str = "") -> str:
    """How a mode is called in messages."""
    if subject:
        return f"{mode.value}, {said('another subject')}"
    return f"{mode.value}, {said('style only')}" if style_only else mode.value


def status(event: Queued | Progress) -> str:
    """One line on what happens to the job now."""
    match event:
        case Queued(position, eta):
            place = said("You are next")
            if position > 1:
                place = said("Waiting in line, position {position}", position=position)
            if eta is not None:
                place += ", " + said("about {seconds}", seconds=seconds_text(max(eta, 0.1)))
            return f"⏳ {place} {ELLIPSIS}"
        case Progress(stage, done, total, similarity):
            stage_name = said(f"{stage.value[:1].upper()}{stage.value[1:]}")
            if total <= 0:
                return f"⏳ {stage_name} {ELLIPSIS}"
            done = min(max(done, 0), total)
            filled = BAR_CELLS * done // total
            so_far = "" if similarity is None else f", {said('similarity so far')} {similarity:.3f}"
            return f"⏳ {stage_name} {'▰' * filled}{'▱' * (BAR_CELLS - filled)} {done}/{total}{so_far}"


def failure(sentence: str) -> str:
    """The message of a request that was not answered."""
    return f"⚠️ {message_line(retold(sentence), CONTENT_LIMIT)}"


def refused_options(options: Options) -> str | None:
    """Why the options have no meaning, or None where they have."""
    if options.style_only and options.mode is Mode.CAPTION:
        return "A caption says what is in the picture, so it has no style-only form. Choose another mode for the style."
    if options.style_only and options.subject:
        return "Style only leaves any subject out. Please leave one of the two out."
    if options.subject and options.mode in STYLELESS:
        return (
            f"The mode {options.mode.value} says nothing of the style, so no subject can be put into it. "
            "Please choose another mode."
        )
    return None


def _title(interrogation: Interrogation) -> str:
    if interrogation.mode is Mode.CAPTION:
        return said("Caption")
    if interrogation.mode is Mode.NEGATIVE:
        return said("Negative prompt")
    if interrogation.subject:
        return said("Your subject in this style")
    return said("Style prompt") if interrogation.style_only else said("Prompt")


def _facts(interrogation: Interrogation) -> str:
    """Similarity, mode, engine and time on one line, which takes less of a phone than fields do."""
    mode = mode_name(interrogation.mode, style_only=interrogation.style_only, subject=interrogation.subject)
    facts = [
        f"{said('similarity')} **{interrogation.similarity:.3f}**",
        f"{said('mode')} **{mode}**",
        f"{said('engine')} **{plain(interrogation.engine, ENGINE_LIMIT)}**",
    ]
    if interrogation.profile != interrogation.engine:
        facts.append(f"{said('profile')} **{plain(interrogation.profile, ENGINE_LIMIT)}**")
    facts.append(f"{seconds_text(interrogation.seconds)}{_known(interrogation.cached)}")
    if interrogation.frames > 1:
        facts.append(said("frame {frame} of {frames}", frame=interrogation.frame, frames=interrogation.frames))
    if interrogation.stopped_early:
        facts.append(said("the best prompt when the time was over"))
    return " · ".join(facts)


def _known(cached: bool) -> str:
    return f", {said('known from before')}" if cached else ""


def seconds_text(seconds: float) -> str:
    """A time as people read it, which no line break divides."""
    if seconds < 0.05:
        return said("under {seconds}", seconds="0.1\u00a0s").replace(" ", "\u00a0")
    return f"{seconds:.1f}\u00a0s" if seconds < 10 else f"{seconds:.0f}\u00a0s"
