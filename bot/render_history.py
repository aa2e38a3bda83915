"""A page of history as an embed: pure functions, within Discord's limits whatever the texts are."""

from __future__ import annotations

from dataclasses import dataclass

import discord

from bot.history import Entry, Page, Wanted
from bot.models import State
from bot.paging import EVERYTHING
from bot.render import COLOUR, EMBEDDED, mode_name
from bot.speech import retold, said
from bot.text import inline_code, plain
from interrogator.types import Embedded

DESCRIPTION_LIMIT = 4096
HEAD_ROOM = 260  # what stands before and around the text of an entry: time, mode, similarity, link
EMBEDDED_ROOM = 70  # what stands before and around what the file says
GENERATOR_LIMIT = 24
TEXT_LIMIT = 220
NOTHING_YET = "Nothing here yet. Type /interrogate and add a picture: its prompt will be kept here for you."
NOTHING_OF_THEIRS = "They have not asked for anything publicly in the channels that you can see here."
NOT_OUTSIDE_SERVERS = "Outside servers you can see your own history only."
NOTHING_LIKE_IT = "Nothing like it. A search finds prompts that have all its words, or words that begin with them."
NO_FAVORITES = "No favorites yet. Press Star under an answer: it will be kept here for you."
NOT_THEIR_FAVORITES = "What somebody has starred is shown to nobody else."
NO_MORE = "There is nothing on this page any more. Use /history to begin again."
UNFINISHED = {
    State.QUEUED: "waiting",
    State.RUNNING: "being worked on",
    State.CANCELLED: "cancelled",
    State.EXPIRED: "not answered before a restart",
    State.FAILED: "failed",
    State.DONE: "nothing recognised",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How a page is looked at: `whose` is another user's id, None for the viewer's own history; `turned` where a
    button led here; `wanted` what was looked for; `times` as in `bot.render.Display`."""

    whose: int | None = None
    in_guild: bool = True
    turned: bool = False
    wanted: Wanted = EVERYTHING
    times: str = "R"


def history_embed(page: Page, look: Look) -> discord.Embed:
    """The page as it is shown."""
    embed = discord.Embed(title=_title(look), colour=COLOUR)
    if page.entries:
        room = DESCRIPTION_LIMIT // (len(page.entries) + 1) - HEAD_ROOM
        text = "\n\n".join(_entry(entry, room, look.times) for entry in page.entries)
    else:
        text = said(_nothing(look))
    head = [f"<@{look.whose}>"] if look.whose is not None else []
    if looked_for := _looked_for(look.wanted):
        head.append(looked_for)
    embed.description = "\n\n".join([" · ".join(head), text] if head else [text])
    return embed


def _title(look: Look) -> str:
    if look.whose is not None:
        return said("History in this server")
    return said("Your favorites") if look.wanted.starred else said("Your history")


def _looked_for(wanted: Wanted) -> str:
    parts = [said("mode **{mode}**", mode=wanted.mode.value)] if wanted.mode is not None else []
    if wanted.search:
        parts.append(said("with {words}", words=inline_code(wanted.search, TEXT_LIMIT)))
    return ", ".join(parts)


def _nothing(look: Look) -> str:
    if look.turned:
        return NO_MORE
    if look.whose is not None and not look.in_guild:
        return NOT_OUTSIDE_SERVERS
    if look.wanted.search or look.wanted.mode is not None:
        return NOTHING_LIKE_IT
    if look.wanted.starred:
        return NO_FAVORITES if look.whose is None else NOT_THEIR_FAVORITES
    return NOTHING_YET if look.whose is None else NOTHING_OF_THEIRS


def _entry(entry: Entry, room: int, times: str) -> str:
    """Two or three lines: how and when; the prompt or the reason why there is none; what the file says, if anything.
    `room` is for the texts in them."""
    facts = [f"**{mode_name(entry.mode, style_only=entry.style_only, subject=entry.subject)}**"]
    if entry.similarity is not None:
        facts.append(f"{entry.similarity:.3f}")
    if entry.frames is not None and entry.frames > 1:
        facts.append(said("frame {frame} of {frames}", frame=entry.frame, frames=entry.frames))
    facts.append(f"<t:{int(entry.created_at.timestamp())}:{times}>")
    if entry.starred:
        facts.append("★")
    if entry.private:
        facts.append(said("private"))
    if (link := link_to(entry)) is not None:
        facts.append(f"[{said('open')}]({link})")
    if entry.embedded is None:
        return f"{' · '.join(facts)}\n{_outcome(entry, min(TEXT_LIMIT, room))}"
    limit = min(TEXT_LIMIT, (room - EMBEDDED_ROOM) // 2)
    return f"{' · '.join(facts)}\n{_outcome(entry, limit)}\n{_carried(entry.embedded, limit)}"


def _carried(found: Embedded, limit: int) -> str:
    """A quiet line with the prompt that the file names, where it names one."""
    generator = plain(found.generator, GENERATOR_LIMIT)
    return f"-# {said(EMBEDDED)} ({generator}) {inline_code(found.prompt, limit)}".rstrip()


def _outcome(entry: Entry, limit: int) -> str:
    if entry.prompt and (code := inline_code(entry.prompt, limit)):
        return code
    if entry.error_message:
        return f"⚠️ {plain(retold(entry.error_message), limit)}"
    return f"*{said(UNFINISHED[entry.state])}*"


def link_to(entry: Entry) -> str | None:
    """To the message; none for a private answer, which Discord has already forgotten."""
    if entry.private or entry.message_id is None or entry.channel_id is None:
        return None
    return f"https://discord.com/channels/{entry.guild_id or '@me'}/{entry.channel_id}/{entry.message_id}"
