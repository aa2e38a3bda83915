"""What the stand-in for Discord holds bots to, beyond what ours does."""

from __future__ import annotations

import aiohttp
from discord_payloads import CHANNEL_ID, Json
from discord_stub import API, TOKEN, DiscordStub


async def test_a_post_to_the_channel_is_made_once_and_only_with_an_enforced_nonce() -> None:
    headers = {"Authorization": f"Bot {TOKEN}"}
    async with DiscordStub.running() as stub, aiohttp.ClientSession(stub.url, headers=headers) as session:

        async def post(**fields: str | bool) -> tuple[int, Json]:
            async with session.post(f"{API}/channels/{CHANNEL_ID}/messages", json=fields) as reply:
                return reply.status, await reply.json()

        assert (await post(content="hello"))[0] == 400
        assert (await post(content="hello", nonce="1"))[0] == 400
        first, again, other = [await post(content="hello", nonce=nonce, enforce_nonce=True) for nonce in "112"]
        assert first == again != other
        assert len(stub.posts) == 2


async def test_a_message_beyond_a_limit_is_refused_whole() -> None:
    headers = {"Authorization": f"Bot {TOKEN}"}
    async with DiscordStub.running() as stub, aiohttp.ClientSession(stub.url, headers=headers) as session:
        for part in ({"content": "a" * 2001}, {"embeds": [{"description": "a" * 4097}]}, {"embeds": [{}] * 11}):
            message = {"nonce": "1", "enforce_nonce": True, **part}
            async with session.post(f"{API}/channels/{CHANNEL_ID}/messages", json=message) as reply:
                assert reply.status == 400
        assert stub.posts == {}
