"""What the bot says is in the language of the one who asks."""

from __future__ import annotations

import sys
from pathlib import Path

import pipelines
import pytest
from bot_process import SCRIPTED, own_bot
from discord_stub import BOB_ID, Upload

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="finds the bot's processes in /proc")


async def test_two_who_ask_at_once_are_answered_each_in_theirs(tmp_path: Path) -> None:
    async with own_bot(tmp_path, *SCRIPTED) as (stub, bot):
        release = tmp_path / "release"
        stub.about_everyone = {"locale": "de"}
        german = await stub.interrogate(Upload("a.png", pipelines.HOLDS + bytes(release)))
        await bot.until_state("running")
        stub.about_everyone = {"locale": "ja"}
        japanese = await stub.interrogate(Upload("b.png", b"a dog"), by=BOB_ID)
        await japanese.until(lambda: "次はあなたの番です" in (japanese.original.content if japanese.original else ""))
        await german.until(lambda: "Suche" in (german.original.content if german.original else ""))
        assert german.original is not None
        assert german.original.components[0]["components"][0]["label"] == "Abbrechen"
        release.touch()
        for asked, word, label in ((german, "Ähnlichkeit **", "Erklären"), (japanese, "類似度 **", "説明する")):
            answer = await asked.answer()
            assert word in answer.embeds[0]["description"]
            assert label in [button["label"] for row in answer.components for button in row["components"]]

        stub.about_everyone = {"locale": "fr"}
        explained = await (await stub.press("説明する", await japanese.answer())).answer()
        assert "similarité **" in explained.embeds[0]["description"]
        refused = await stub.press("削除", await japanese.answer())
        assert "Seule la personne" in (await refused.refusal()).content
