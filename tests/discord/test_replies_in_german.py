"""What the bot says beside its answers is in the language of the one who reads it."""

from __future__ import annotations

from typing import Any

import discord
import pytest
import pytest_asyncio
import simcord
from simcord import interactions
from worlds import MakeWorld, ScriptedQueue, World, embed_of, told_alone

from bot.guild_rules import GuildRules
from bot.history import Ask
from interrogator.queue.bounds import queue_is_full
from interrogator.types import Failed, Mode

PNG = ("kite.png", b"\x89PNG\r\n\x1a\n picture")


@pytest.fixture(autouse=True)
def everyone_is_german(monkeypatch: pytest.MonkeyPatch) -> None:
    made = interactions.base_payload

    def german(*args: Any, **kwargs: Any) -> Any:
        record, payload = made(*args, **kwargs)
        return record, {**payload, "locale": "de"}

    monkeypatch.setattr(interactions, "base_payload", german)


@pytest_asyncio.fixture(loop_scope="session")
async def world(make_world: MakeWorld) -> World:
    return await make_world(ScriptedQueue())


def labels_of(result: simcord.InteractionResult) -> list[str]:
    return [item["label"] for row in result.response.components for item in row["components"]]


async def test_help(world: World) -> None:
    embed = embed_of(await world.ann.slash(world.channel, "help"))
    assert "Gib mir ein Bild" in embed.description
    fields = {field.name: field.value for field in embed.fields}
    assert list(fields) == ["Befehle", "Bei einer Nachricht mit Bildern", "Modi", "Datenschutz"]
    assert "`/verlauf` (/history) Deine früheren Prompts" in fields["Befehle"]
    assert "**Bild zu Prompt**" in fields["Bei einer Nachricht mit Bildern"]
    assert "**turbo** schnelle Suche" in fields["Modi"]


async def test_privacy_to_its_end(world: World) -> None:
    await world.ann.slash(world.channel, "interrogate", image=PNG)
    shown = await world.ann.slash(world.channel, "privacy")
    assert "Bilder werden nie gespeichert" in embed_of(shown).description
    assert labels_of(shown) == ["Exportieren", "Ab jetzt nichts behalten", "Alles löschen …"]
    sure = await world.ann.click(shown.response, label="Alles löschen …")
    assert "deinen einen Prompt" in sure.response.content
    await world.ann.click(sure.response, label="Ja, alles löschen")
    assert "Fertig: 1 Prompt gelöscht." in sure.response.content
    assert await world.rows(world.ann) == ()


async def test_history(world: World) -> None:
    assert "Hier ist noch nichts." in embed_of(await world.ann.slash(world.channel, "history")).description
    world.bot.queue.events = (Failed("queue_full", str(queue_is_full(7))),)
    await world.ann.slash(world.channel, "interrogate", image=PNG)
    embed = embed_of(await world.ann.slash(world.channel, "history", mode="turbo"))
    assert (embed.title, embed.description[:14]) == ("Dein Verlauf", "Modus **turbo*")
    assert "7 Bilder warten" in embed.description


async def test_export_and_queue(world: World) -> None:
    await world.ann.slash(world.channel, "interrogate", image=PNG)
    exported = await world.ann.slash(world.channel, "export", format="txt")
    assert exported.response.content == "Dein einziger Prompt."
    row = await world.history.add(Ask(user_id=world.ann.id, image_name="1.png", mode=Mode.FAST, profile="lite"))
    told = (await world.ann.slash(world.channel, "queue")).response.content
    await world.history.delete(row)
    assert told.splitlines() == [
        "Das Bildmodell ist bereit.",
        "Niemand wartet: ein Bild käme sofort dran.",
        "Eins davon ist deins.",
    ]


async def test_refusals(world: World) -> None:
    refused = await world.ann.slash(world.channel, "interrogate", image=("notes.txt", b"hello"))
    assert told_alone(refused) == (
        "⚠️ `notes.txt` ist kein Bild. Bitte schick PNG, JPEG, WebP, GIF, BMP, TIFF, AVIF oder HEIC."
    )
    await world.bot.rulebook.decide(world.guild.id, GuildRules(daily_limit=1), 1)
    await world.ann.slash(world.channel, "interrogate", image=PNG)
    refused = await world.ann.slash(world.channel, "interrogate", image=PNG)
    world.expect_errors()
    assert "Erlaubte Bilder pro Person und Tag (UTC) auf diesem Server: 1; dir bleiben noch 0." in told_alone(refused)


async def test_settings_and_their_forms(world: World) -> None:
    role = world.guild.create_role("admins", permissions=discord.Permissions(manage_guild=True))
    eve = world.guild.add_member(world.env.create_user("eve"), roles=[role])
    shown = await eve.slash(world.channel, "settings")
    assert embed_of(shown).title == "Einstellungen dieses Servers"
    assert embed_of(shown).fields[0].value.startswith("Modus **turbo (Vorgabe des Bots)** · öffentlich")
    form = await eve.click(shown.response, label="Grenzen …")
    refused = await eve.submit_modal(form, {"cooldown": "bald"})
    world.expect_errors()
    assert told_alone(refused) == "⚠️ Sekunden zwischen zwei Fragen: bitte eine ganze Zahl von 0 bis 86400."
