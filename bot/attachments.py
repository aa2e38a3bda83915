"""Images of a message: what is known of them before they are read, and their bytes, bounded, from Discord alone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import PurePosixPath

import aiohttp
import discord
from yarl import URL

from bot.public_addresses import PublicResolver
from bot.text import inline_code
from interrogator.errors import EmptyImageError, ImageTooLargeError, UnreadableImageError
from interrogator.file_kinds import WANTED, kind_of

DISCORD_HOSTS = frozenset(
    {
        "cdn.discordapp.com",
        "media.discordapp.net",
        "images-ext-1.discordapp.net",
        "images-ext-2.discordapp.net",
    }
)
CHART = "phrases.png"  # which the bot draws
DOWNLOAD_SECONDS = 60.0
CHUNK_BYTES = 64 * 1024
NAME_LIMIT = 80
# A signature that has expired, or a file that was deleted.
GONE = frozenset({HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
NOT_PICTURES = frozenset({"image/svg+xml"})
# By extension, for files whose type Discord does not know ("application/octet-stream").
PICTURE_SUFFIXES = frozenset(
    [".png", ".jpg", ".jpeg", ".jfif", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif", ".heic", ".heif"]
)
SUFFIX_OF_KIND = {
    "a PNG": ".png",
    "a JPEG": ".jpg",
    "a WebP": ".webp",
    "a GIF": ".gif",
    "an AVIF": ".avif",
    "a HEIC picture": ".heic",
    "a BMP": ".bmp",
    "a TIFF": ".tif",
}
STICKERS = frozenset({discord.StickerFormatType.png, discord.StickerFormatType.apng, discord.StickerFormatType.gif})
SHOWN_SUFFIXES = frozenset({".png", ".jpg", ".webp", ".gif", ".avif"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """An image that somebody sent. `size` in bytes, None where it is not known before it is read."""

    name: str
    url: str
    size: int | None = None
    content_type: str = ""
    attachment: discord.Attachment | None = None


def of_attachment(attachment: discord.Attachment) -> Picture:
    """The picture that an attachment is said to be."""
    return Picture(
        name=attachment.filename,
        url=attachment.url,
        size=attachment.size,
        content_type=(attachment.content_type or "").partition(";")[0].strip().lower(),
        attachment=attachment,
    )


def of_message(message: discord.Message) -> list[Picture]:
    """The pictures of a message, or of one that it forwards: attachments that may be images, stickers, and the images
    of embeds.

    A file that an embed shows is not among a message's attachments on Discord, so the bot's own answers are read from
    their thumbnail. What Discord does not serve itself is left out: no other host is ever asked.
    """
    parts: list[discord.Message | discord.MessageSnapshot] = [message, *message.message_snapshots]
    attached = [of_attachment(attachment) for part in parts for attachment in part.attachments]
    pictures = [picture for picture in attached if looks_like_a_picture(picture)]
    pictures += [_of_sticker(sticker) for part in parts for sticker in part.stickers if sticker.format in STICKERS]
    known = {URL(picture.url).path for picture in pictures}  # hosts and signatures differ for the same file
    for address in _addresses(embed for part in parts for embed in part.embeds):
        path = URL(address).path
        if path not in known:
            known.add(path)
            pictures.append(Picture(name=PurePosixPath(path).name or "image", url=address))
    return pictures


def of_answer(message: discord.Message) -> Picture | None:
    """The picture that an answer of the bot is about: its embed's thumbnail, or attached. What else the embed shows is
    a chart of the bot's own."""
    for embed in message.embeds:
        for address in (embed.thumbnail.url, embed.thumbnail.proxy_url):
            if address and is_on_discord(address):
                return Picture(name=PurePosixPath(URL(address).path).name or "image", url=address)
    attached = (of_attachment(attachment) for attachment in message.attachments if attachment.filename != CHART)
    return next(filter(looks_like_a_picture, attached), None)


def of_message_or_answer(message: discord.Message, bot: discord.ClientUser | None) -> list[Picture]:
    """The pictures of a message; of the bot's own answers, the one that each is about."""
    if bot is None or message.author.id != bot.id:
        return of_message(message)
    picture = of_answer(message)
    return [] if picture is None else [picture]


def looks_like_a_picture(picture: Picture) -> bool:
    """By what Discord says of the file; what it is, the worker finds out."""
    if picture.content_type in ("", "application/octet-stream"):
        return PurePosixPath(picture.name.lower()).suffix in PICTURE_SUFFIXES
    return picture.content_type.startswith("image/") and picture.content_type not in NOT_PICTURES


def check(picture: Picture, max_bytes: int) -> None:
    """Refuse what cannot be answered, before anything is read.

    Raises EmptyImageError, ImageTooLargeError or UnreadableImageError.
    """
    name = inline_code(picture.name, NAME_LIMIT) or "The file"
    if picture.size == 0:
        raise EmptyImageError(f"{name} is empty (0 bytes). Please send the picture again.")
    if picture.attachment is not None and not looks_like_a_picture(picture):
        if picture.content_type in NOT_PICTURES:
            raise UnreadableImageError(f"{name} is an SVG drawing, not a picture of pixels. {WANTED}")
        raise UnreadableImageError(f"{name} is not a picture. {WANTED}")
    if picture.size is not None and picture.size > max_bytes:
        raise _too_large(name, max_bytes)


async def download(picture: Picture, max_bytes: int) -> bytes:
    """The bytes, read once, after `check`. Raises the errors of `check`; UnreadableImageError for the network too."""
    data = await _fetch(picture, max_bytes)
    check(replace(picture, size=len(data)), max_bytes)
    return data


async def download_text(attachment: discord.Attachment, max_bytes: int) -> str:
    """What a text file of the bot's own says. Raises UnreadableImageError for the network, ImageTooLargeError."""
    return (await _fetch(of_attachment(attachment), max_bytes)).decode("utf-8", "replace")


async def _fetch(picture: Picture, max_bytes: int) -> bytes:
    try:
        async with asyncio.timeout(DOWNLOAD_SECONDS):
            if picture.attachment is not None and _leads_nowhere(picture.url):
                return await picture.attachment.read()  # of a simulated Discord
            return await _read(picture.url, max_bytes)
    except TimeoutError:
        raise UnreadableImageError("Discord took too long to hand over the picture. Please try again.") from None
    except (discord.HTTPException, aiohttp.ClientError) as error:
        # The cause is left out: its text holds the signed address.
        status = getattr(error, "status", None)
        raise _not_fetched(status if status is not None else type(error).__name__) from None


def shown_name(image: bytes) -> tuple[str, bool]:
    """A file name for the image in an answer, and whether Discord shows such a file as a picture."""
    kind = kind_of(image)
    suffix = SUFFIX_OF_KIND.get(kind.name, "") if kind is not None else ""
    return f"image{suffix}", suffix in SHOWN_SUFFIXES


async def _read(url: str, max_bytes: int) -> bytes:
    if not is_on_discord(url):
        raise UnreadableImageError("This picture is not kept by Discord. Please send it as an attachment.")
    # No compression: a few packed bytes would unpack to more than the limit before anybody counts them.
    async with (
        aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(resolver=PublicResolver(), use_dns_cache=False),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"Accept-Encoding": "identity"},
            auto_decompress=False,
        ) as session,
        session.get(URL(url), allow_redirects=False) as reply,
    ):
        if reply.status != HTTPStatus.OK:  # a redirection has a body too, and leads we know not where
            raise _not_fetched(reply.status)
        return await read_at_most(reply.content, max_bytes)


async def read_at_most(stream: aiohttp.StreamReader, max_bytes: int) -> bytes:
    """The whole stream; ImageTooLargeError as soon as it is longer."""
    data = bytearray()
    async for chunk in stream.iter_chunked(CHUNK_BYTES):
        data += chunk
        if len(data) > max_bytes:
            raise _too_large("The picture", max_bytes)
    return bytes(data)


def is_on_discord(url: str) -> bool:
    """Whether the address is https on a host of Discord's own content network, and says no more than that: no user,
    no password, no port."""
    try:
        address = URL(url)
        bare = address.raw_authority == address.raw_host
        return address.scheme == "https" and address.raw_host in DISCORD_HOSTS and bare
    except ValueError:  # anybody may write anything into an embed
        return False


def _leads_nowhere(url: str) -> bool:
    """Whether the address is of the domain that is reserved for those that never resolve (RFC 2606)."""
    try:
        return (URL(url).raw_host or "").endswith(".invalid")
    except ValueError:
        return False


def _of_sticker(sticker: discord.StickerItem) -> Picture:
    return Picture(name=f"{sticker.name}.{sticker.format.file_extension}", url=sticker.url)


def _addresses(embeds: Iterable[discord.Embed]) -> list[str]:
    """Discord's own addresses of what the embeds show: the original where Discord keeps it, else its copy."""
    found = []
    for embed in embeds:
        for media in (embed.image, embed.thumbnail):
            candidates = [address for address in (media.url, media.proxy_url) if address]
            found += [address for address in candidates if is_on_discord(address)][:1]
    return found


def _not_fetched(why: int | str) -> UnreadableImageError:
    """`why` is Discord's status, or what happened to the connection."""
    if why in GONE:
        return UnreadableImageError(
            "Discord does not have this picture any more, or its link has expired. Please send it again."
        )
    return UnreadableImageError(f"The picture could not be fetched from Discord ({why}). Please try again.")


def _too_large(name: str, max_bytes: int) -> ImageTooLargeError:
    return ImageTooLargeError(f"{name} is larger than {max_bytes / 2**20:.3g} MiB. Please send a smaller one.")
