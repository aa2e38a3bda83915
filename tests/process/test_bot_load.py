"""What the benchmark of the bot under load counts. That it runs is seen by running it."""

from __future__ import annotations

import itertools

import pytest
from discord_interactions import DEFERRED_MESSAGE, MESSAGE, WARNING, Asked

from benchmarks.bot_load import Load, described, figures_of

EMBED = {"embeds": [{"title": "Prompt", "description": "a kite"}]}


def asked(ack: float | None = 0.1, answer: float | None = 0.5, *, refused: bool = False) -> Asked:
    """An interaction that was acknowledged and answered after so many seconds, or not."""
    one = Asked(1, "token", 2, itertools.count(10).__next__)
    if ack is None:
        return one
    content = {"content": f"{WARNING} The file is empty."} if refused else EMBED
    if answer is None:
        one.respond(DEFERRED_MESSAGE, {}, {})
    else:
        one.respond(MESSAGE, content, {})
        one.answered = one.pushed + answer
    one.responded = one.pushed + ack
    return one


def test_what_is_late_lost_refused_or_answered_twice_is_told_apart() -> None:
    twice = asked()
    twice.follow_up({"embeds": [{"title": "Prompt", "description": "a dog"}]}, {})
    crowd = [asked(), asked(3.5), asked(None), asked(answer=None), asked(refused=True), twice]
    memory = [100.0, 100.0, 110.0, 120.0, 130.0, 130.0]
    load = Load([("picture", one) for one in crowd], bot_mb=memory, worker_mb=memory[::-1], seconds=2)

    figures = figures_of(load)

    told = {name: figures[name] for name in ("interactions", "answered", "refused", "lost", "twice", "late_acks")}
    assert told == {"interactions": 6, "answered": 3, "refused": 1, "lost": 2, "twice": 1, "late_acks": 2}
    assert (figures["bot_first_mb"], figures["bot_last_mb"], figures["rss_mb"]) == (100, 130, 230)
    assert (figures["worker_first_mb"], figures["worker_last_mb"]) == (130, 100)
    assert any("picture" in line and "4 ended" in line for line in described(load, figures))


def test_quantiles_are_of_the_seconds_since_each_asked() -> None:
    load = Load([("/help", asked(number / 100, number / 10)) for number in range(1, 101)])
    figures = figures_of(load)
    assert figures["lost"] == 0
    assert figures["ack_p50_s"] == pytest.approx(0.51)
    assert figures["answer_p99_s"] == pytest.approx(10.0)
