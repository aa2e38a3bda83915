"""Answers as Discord messages: within its limits by construction, honest, and with the prompt to copy."""

from __future__ import annotations

from contextvars import copy_context
from types import SimpleNamespace

import discord
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import render
from bot.speech import speak_to
from bot.text import units
from interrogator.types import Embedded, Interrogation, Mode, Options, Progress, Queued, Stage

ANY_TEXT = st.text(st.characters(), max_size=50) | st.builds(
    lambda text, times: text * times, st.text(st.characters(), min_size=1, max_size=20), st.integers(1, 2000)
)

SOME_TEXT = st.builds(
    lambda text, times: text * times, st.text(st.characters(), max_size=10), st.sampled_from([1, 3, 300])
)
EMBEDDED = st.builds(
    Embedded, SOME_TEXT, SOME_TEXT, SOME_TEXT, st.lists(st.tuples(SOME_TEXT, SOME_TEXT), max_size=2).map(tuple)
)


def interrogation(**changes: object) -> Interrogation:
    values: dict[str, object] = {
        "sha256": "0" * 64,
        "width": 8,
        "height": 8,
        "profile": "lite",
        "engine": "lite",
        "mode": Mode.FAST,
        "style_only": False,
        "caption": "a cat",
        "prompt": "a cat, soft light",
        "phrases": (),
        "similarity": 0.31249,
        "seconds": 0.84,
    }
    return Interrogation(**{**values, **changes})  # type: ignore[arg-type]


def is_accepted(embed: discord.Embed) -> bool:
    """Discord's limits: title 256, description 4,096, footer 2,048, 6,000 in all."""
    title, description, footer = embed.title or "", embed.description or "", embed.footer.text or ""
    parts = (title, description, footer)
    return (
        0 < units(title) <= 256
        and 0 < units(description) <= 4096
        and 0 < units(footer) <= 2048
        and sum(map(units, parts)) <= 6000
        and all(part.encode("utf-8") for part in parts)
    )


def test_the_longest_answer_is_accepted_in_every_language() -> None:
    long = "w" * 9000
    found = interrogation(
        prompt=long,
        subject=long,
        caption=long,
        engine=long,
        profile=long,
        note=long,
        cached=True,
        frame=999,
        frames=1000,
        stopped_early=True,
        embedded=Embedded(long, long, long, ((long, long),)),
    )

    def shown(locale: discord.Locale) -> discord.Embed:
        speak_to(SimpleNamespace(locale=locale))  # type: ignore[arg-type]
        return render.answer(found, picture="attachment://image.png", kept=False).embed

    for locale in discord.Locale:
        assert is_accepted(copy_context().run(shown, locale))


@settings(max_examples=200, deadline=None)
@given(
    prompt=ANY_TEXT,
    caption=ANY_TEXT,
    engine=ANY_TEXT,
    note=ANY_TEXT,
    mode=st.sampled_from(Mode),
    style_only=st.booleans(),
    similarity=st.floats(-1, 1),
    seconds=st.floats(0, 900),
    kept=st.booleans(),
    columns=st.none() | st.integers(10, 80),
    embedded=st.none() | EMBEDDED,
    subject=ANY_TEXT,
    cached=st.booleans(),
    frames=st.integers(1, 1000),
    stopped_early=st.booleans(),
)
def test_any_answer_is_accepted_by_discord(kept: bool, columns: int | None, **values: object) -> None:
    answer = render.answer(interrogation(**values), picture="attachment://image.png", kept=kept, columns=columns)
    assert is_accepted(answer.embed)


@given(st.text(st.characters(categories=["L"]), min_size=1, max_size=9).map(lambda word: word * 1200))
def test_a_prompt_that_does_not_fit_comes_whole_in_a_file(prompt: str) -> None:
    answer = render.answer(interrogation(prompt=prompt), picture=None)
    shown = (answer.embed.description or "").split("```")[1].strip()
    if answer.prompt_file is None:
        assert shown == " ".join(prompt.split())
    else:
        assert answer.prompt_file == prompt
        assert shown.endswith("…")
        assert "in the file" in (answer.embed.description or "")


def test_the_prompt_can_be_copied_from_a_block() -> None:
    text = render.answer(interrogation(), picture=None).embed.description or ""
    assert text.startswith("```\na cat, soft light\n```")


def test_what_the_file_carries_comes_first() -> None:
    found = Embedded("A1111", "a boat ```\n@everyone", "**fog** <@1>", (("Steps", "20"), ("Seed", "7")))
    text = render.answer(interrogation(embedded=found), picture=None).embed.description or ""
    assert text.splitlines() == [
        "**Embedded in the file** (A1111)",
        "```",
        "a boat ''' @everyone",
        "```",
        "Negative: \\*\\*fog\\*\\* \\<@\u200b1\\>",
        "-# Steps 20 · Seed 7",
        "**Reconstructed from the picture**",
        "```",
        "a cat, soft light",
        "```",
        *text.splitlines()[10:],
    ]
    assert len(text.splitlines()) == 11


def test_without_anything_in_the_file_no_heading_is_shown() -> None:
    text = render.answer(interrogation(), picture=None).embed.description or ""
    assert "Embedded" not in text
    assert "Reconstructed" not in text


@settings(deadline=None)
@given(EMBEDDED, st.none() | st.integers(10, 80))
def test_what_the_file_carries_is_bounded(found: Embedded, columns: int | None) -> None:
    assert units(render.embedded(found, columns)) <= render.EMBEDDED_LIMIT


def test_all_of_what_the_file_carries_comes_in_a_file_where_it_does_not_fit() -> None:
    prompt, negative = "a boat, " * 300, "fog, " * 200
    answer = render.answer(
        interrogation(embedded=Embedded("A1111", prompt, negative, (("Steps", "20"), ("Seed", "7")))), picture=None
    )
    assert answer.embedded_file == f"{prompt}\nNegative prompt: {negative}\nSteps: 20, Seed: 7"
    assert "embedded.txt" in (answer.embed.description or "")
    short = render.answer(interrogation(embedded=Embedded("A1111", "a boat", "fog")), picture=None)
    assert short.embedded_file is None
    assert "embedded.txt" not in (short.embed.description or "")


@settings(deadline=None)
@given(EMBEDDED)
def test_what_is_shortened_of_what_the_file_carries_is_never_without_its_file(found: Embedded) -> None:
    _name, _, shown = render.embedded(found).partition("\n")
    if render.embedded_file(found) is None and found.prompt.split():
        assert "…" not in shown or "…" in "".join([found.prompt, found.negative, *map("".join, found.settings)])


def test_the_facts_of_an_answer() -> None:
    text = render.answer(interrogation(style_only=True), picture=None).embed.description or ""
    assert "similarity **0.312** · mode **fast, style only** · engine **lite** · 0.8\N{NO-BREAK SPACE}s" in text


def test_the_profile_is_named_where_the_engine_does_not_tell_it_and_so_is_what_was_known() -> None:
    known = interrogation(engine="OpenCLIP", profile="sd1", cached=True)
    text = render.answer(known, picture=None).embed.description or ""
    assert "engine **OpenCLIP** · profile **sd1** · 0.8\N{NO-BREAK SPACE}s, known from before" in text


def test_the_engine_s_limits_and_the_nature_of_a_prompt_are_always_said() -> None:
    footer = render.answer(interrogation(note="A basic engine."), picture=None).embed.footer.text
    assert footer == "A basic engine.\nA reconstruction, not the hidden original prompt."


@pytest.mark.parametrize(
    ("prompt", "is_shown"),
    [("a cat, soft light", False), ("blurry, low contrast", True)],
    ids=["begins so", "does not"],
)
def test_the_caption_is_shown_where_the_prompt_does_not_begin_with_it(prompt: str, is_shown: bool) -> None:
    text = render.answer(interrogation(prompt=prompt), picture=None).embed.description or ""
    assert ("Caption: a cat" in text) is is_shown


@pytest.mark.parametrize(
    ("mode", "style_only", "title"),
    [
        (Mode.FAST, False, "Prompt"),
        (Mode.BEST, True, "Style prompt"),
        (Mode.CAPTION, False, "Caption"),
        (Mode.NEGATIVE, False, "Negative prompt"),
    ],
)
def test_the_title_says_what_it_is(mode: Mode, style_only: bool, title: str) -> None:
    assert render.answer(interrogation(mode=mode, style_only=style_only), picture=None).embed.title == title


def test_an_empty_prompt_is_explained() -> None:
    embed = render.answer(interrogation(prompt="", caption="", mode=Mode.CAPTION), picture=None).embed
    assert "not sure enough" in (embed.description or "")


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (Queued(1), "⏳ You are next …"),
        (Queued(3, 12.4), "⏳ Waiting in line, position 3, about 12\N{NO-BREAK SPACE}s …"),
        (Progress(Stage.LOAD), "⏳ Loading models …"),
        (Progress(Stage.SEARCH, 5, 20), "⏳ Search ▰▰▱▱▱▱▱▱▱▱ 5/20"),
        (Progress(Stage.SEARCH, 99, 20), "⏳ Search ▰▰▰▰▰▰▰▰▰▰ 20/20"),
    ],
)
def test_status_lines(event: Queued | Progress, text: str) -> None:
    assert render.status(event) == text


@given(ANY_TEXT)
def test_any_failure_fits_a_message(sentence: str) -> None:
    assert 0 < units(render.failure(sentence)) <= 2000
    render.failure(sentence).encode("utf-8")


def test_a_failure_mentions_nobody_and_is_no_markdown() -> None:
    text = render.failure("<@1> said\n**hello** to @everyone, see `cat.png`")
    assert text == "⚠️ \\<@\u200b1\\> said \\*\\*hello\\*\\* to @\u200beveryone, see `cat.png`"


def test_only_a_caption_refuses_style_only() -> None:
    refused = [mode for mode in Mode if render.refused_options(Options(mode=mode, style_only=True))]
    assert refused == [Mode.CAPTION]
    assert render.refused_options(Options(mode=Mode.CAPTION)) is None


def test_a_search_shows_the_similarity_so_far() -> None:
    assert render.status(Progress(Stage.SEARCH, 3, 32, 0.3124)).endswith("3/32, similarity so far 0.312")


def test_an_answer_of_a_search_that_ran_out_of_time_says_so() -> None:
    said = [
        str(render.answer(interrogation(stopped_early=early), picture=None).embed.description)
        for early in (True, False)
    ]
    assert ["time was over" in text for text in said] == [True, False]
