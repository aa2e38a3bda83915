"""How long a page of /history takes among many rows.

    python -m benchmarks.history_pages [--rows 100000] [--url postgresql://...] [--json]

Half of the rows are one person's, the rest of a thousand others. The database is a SQLite file that is deleted at the
end, or the one that `--url` names, which must be empty and stays full.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter
from typing import Any

from sqlalchemy import insert, text

from bot.database import Database
from bot.history import Cursor, Direction, History, Viewer, Wanted
from bot.models import InterrogationRow, State
from bot.prompt_words import remember, words_of
from interrogator.types import Mode

ME, OTHERS, GUILD, CHANNEL = 1_000_001, 1000, 77, 88
WORDS = ("fox", "castle", "lake", "portrait", "neon", "mist", "harbor", "owl", "robot", "meadow", "violet", "storm")
STYLES = ("oil painting", "soft light", "35mm photo", "pixel art", "low poly", "watercolor", "golden hour", "bokeh")
RARE = "zeppelin"
BATCH = 2000
LOOKS = 40


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.history_pages",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--url", help="another database, which must be empty")
    parser.add_argument("--json", action="store_true", help="print one JSON object as the last line")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = arguments.url or f"sqlite:///{Path(folder) / 'history.db'}"
        figures = asyncio.run(_measured(url, arguments.rows))
    for name, figure in figures["pages"].items():
        print(f"  {name:28} {figure['median_ms']:7.1f} ms, p95 {figure['p95_ms']:7.1f} ms, {figure['entries']} entries")
    if arguments.json:
        print(json.dumps(figures))


async def _measured(url: str, rows: int) -> dict[str, Any]:
    async with Database.open(url) as database:
        print(f"{rows} rows in {database.dialect} ...", flush=True)
        await _fill(database, rows)
        await _analyse(database)
        history = History(database)
        me, guest = Viewer(ME), Viewer(ME + 1, GUILD, frozenset(range(CHANNEL, CHANNEL + 200)))
        deep = Cursor(Direction.OLDER, rows // 10)
        asked: dict[str, tuple[Viewer, Wanted, Cursor | None]] = {
            "first page": (me, Wanted(), None),
            "a page far back": (me, Wanted(), deep),
            "one mode of few rows": (me, Wanted(mode=Mode.NEGATIVE), None),
            "favorites": (me, Wanted(starred=True), None),
            "a word of every tenth": (me, Wanted(search="fox"), None),
            "the same, far back": (me, Wanted(search="fox"), deep),
            "a rare word": (me, Wanted(search=RARE), None),
            "two words and a mode": (me, Wanted(search="fox wat", mode=Mode.BEST), None),
            "another's, public here": (guest, Wanted(), None),
            "a word of another's": (guest, Wanted(search="fox"), None),
        }
        pages = {name: await _page(history, *how) for name, how in asked.items()}
        return {"rows": rows, "database": database.dialect, "pages": pages}


async def _page(history: History, viewer: Viewer, wanted: Wanted, cursor: Cursor | None) -> dict[str, Any]:
    seconds, entries = [], 0
    for _ in range(LOOKS):
        began = perf_counter()
        page = await history.page(ME, viewer, wanted=wanted, cursor=cursor)
        seconds.append(perf_counter() - began)
        entries = len(page.entries)
    return {"median_ms": 1000 * median(seconds), "p95_ms": 1000 * quantiles(seconds, n=20)[-1], "entries": entries}


async def _fill(database: Database, rows: int) -> None:
    some = list(_rows(rows))
    for start in range(0, rows, BATCH):
        async with database.transaction() as session:
            part = some[start : start + BATCH]
            await session.execute(insert(InterrogationRow), part)
            for row in part:
                await remember(session, row["id"], row["user_id"], words_of(row["prompt"]))


async def _analyse(database: Database) -> None:
    """Let PostgreSQL know the rows, as it does by itself from time to time."""
    if database.dialect == "postgresql":
        async with database.transaction() as session:
            await session.execute(text("ANALYZE"))


def _rows(count: int) -> Iterator[dict[str, Any]]:
    dice = random.Random(0)
    began = datetime(2026, 1, 1, tzinfo=UTC)
    modes = [Mode.TURBO] * 60 + [Mode.BEST] * 20 + [Mode.FAST] * 19 + [Mode.NEGATIVE]
    for number in range(1, count + 1):
        prompt = ", ".join([f"a {dice.choice(WORDS)}", *dice.sample(STYLES, 4), f"seed {dice.randrange(10**6)}"])
        if dice.random() < 20 / count:
            prompt += f", {RARE}"
        yield {
            "id": number,
            "state": State.DONE,
            "user_id": ME if dice.random() < 0.5 else 2_000_000 + dice.randrange(OTHERS),
            "guild_id": GUILD,
            "channel_id": CHANNEL + dice.randrange(400),
            "message_id": number,
            "image_name": "image.png",
            "image_sha256": f"{number:064x}",
            "mode": dice.choice(modes),
            "style_only": False,
            "profile": "sd1",
            "engine": "ViT-L-14/openai",
            "caption": prompt.split(",", 1)[0],
            "prompt": prompt,
            "phrases": (),
            "similarity": dice.random(),
            "seconds": 1.0,
            "starred": dice.random() < 0.001,
            "private": dice.random() < 0.3,
            "created_at": began + timedelta(seconds=number),
        }


if __name__ == "__main__":
    main()
