"""Asks and answers with something in every field, for tests that care about one of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from bot.history import Ask
from interrogator.types import Interrogation, Mode, Phrase

ALICE, BOB = 80_351_110_224_678_912, 9_007_199_254_740_993  # the second is past what a double can hold
GUILD, OTHER_GUILD = 197_038_439_483_310_086, 41_771_983_423_143_937
CHANNEL = 41_771_983_423_143_938
APPLICATION = 1_040_000_000_000_000_002


def an_ask(**changes: Any) -> Ask:
    """Alice's image in a guild."""
    values: dict[str, Any] = {
        "user_id": ALICE,
        "guild_id": GUILD,
        "channel_id": CHANNEL,
        "interaction_id": 846_462_639_134_605_312,
        "interaction_token": "a-secret-token",
        "image_url": "https://cdn.example/signed?secret",
        "image_name": "lighthouse.png",
        "mode": Mode.FAST,
        "style_only": False,
        "profile": "lite",
        "private": False,
        "application_id": APPLICATION,
        "token_ends_at": datetime(2100, 1, 1, tzinfo=UTC),
        "file_limit": 10 * 2**20,
    }
    return Ask(**(values | changes))


def an_interrogation(**changes: Any) -> Interrogation:
    """What the lite engine might say of it."""
    values: dict[str, Any] = {
        "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "width": 640,
        "height": 480,
        "profile": "lite",
        "engine": "lite",
        "mode": Mode.FAST,
        "style_only": False,
        "caption": "a lighthouse",
        "prompt": "a lighthouse, golden hour, muted palette",
        "phrases": (Phrase("golden hour", "lighting", 0.31), Phrase("muted palette", "palette", 0.25)),
        "similarity": 0.42,
        "seconds": 0.7,
    }
    return Interrogation(**(values | changes))
