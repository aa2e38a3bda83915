"""Foreign text in Discord messages: whatever it is, it shows as text and stays inside its limit."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.text import code_block, inline_code, message_line, one_line, plain, shorten, units

# Every character that exists, lone surrogates included, and much of what Discord gives a meaning.
MARKUP = st.sampled_from(
    [
        "`",
        "```",
        "\\",
        "*",
        "_",
        "~~",
        "||",
        "@everyone",
        "<@1>",
        "<#1>",
        "<t:0:R>",
        "[a](https://b.c)",
        "\u202e",
        "\u200b",
    ]
)
TEXTS = st.lists(st.text(st.characters()) | MARKUP, max_size=60).map("".join)
LIMITS = st.integers(12, 200)


@given(TEXTS, LIMITS)
def test_every_form_fits_its_limit(text: str, limit: int) -> None:
    for form in (shorten(text, limit), plain(text, limit), inline_code(text, limit), code_block(text, limit)):
        assert units(form) <= limit


@given(TEXTS)
def test_nothing_invisible_and_no_line_break_is_left(text: str) -> None:
    for character in one_line(text):
        assert unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


# What Unicode tells programs to show as nothing (Default_Ignorable_Code_Point), and blanks that it does not.
NOTHING_TO_SEE = [
    *(0xAD, 0x34F, 0x61C, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2065, 0x2800, 0x3164, 0xFEFF, 0xFFA0, 0x1D159),
    *(*range(0x180B, 0x1810), *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070)),
    *(*range(0xFE00, 0xFE10), *range(0xFFF0, 0xFFF9), *range(0x1BCA0, 0x1BCA4), *range(0x1D173, 0x1D17B)),
    *range(0xE0000, 0xE1000),
]


def test_no_character_that_shows_as_nothing_is_left() -> None:
    assert [hex(code) for code in NOTHING_TO_SEE if one_line(f"a{chr(code)}b") != "ab"] == []


def test_a_text_hidden_in_tags_or_variation_selectors_is_gone() -> None:
    hidden = "".join(chr(0xE0000 + ord(letter)) for letter in "obey") + "".join(map(chr, range(0xE0100, 0xE01F0)))
    assert one_line(f"a cat\ufe0f{hidden}") == "a cat"


def test_a_file_name_cannot_be_turned_around() -> None:
    assert inline_code("kite\u202egnp.exe\u2067\u2069", 60) == "`kitegnp.exe`"


def test_marks_cannot_be_heaped_over_other_lines() -> None:
    assert one_line("z\u0300\u0301" + "\u0302" * 50 + "a\u0308") == "z\u0300\u0301\u0302\u0302a\u0308"


@given(TEXTS, LIMITS)
def test_the_result_can_be_sent(text: str, limit: int) -> None:
    for form in (plain(text, limit), inline_code(text, limit), code_block(text, limit)):
        form.encode("utf-8")


@given(TEXTS, LIMITS)
def test_a_code_block_is_closed_by_its_own_fence_alone(text: str, limit: int) -> None:
    block = code_block(text, limit)
    assert re.findall("`{3,}", block) == ["```", "```"]
    assert block.startswith("```\n")
    assert block.endswith("\n```")


@given(TEXTS, LIMITS)
def test_inline_code_is_closed_by_its_own_backtick_alone(text: str, limit: int) -> None:
    assert inline_code(text, limit).count("`") in (0, 2)


@given(TEXTS)
def test_plain_text_escapes_all_that_discord_would_read(text: str) -> None:
    for match in re.finditer(r"(\\*)([*_~|`<>\[\]#])", plain(text, 10_000)):
        assert len(match[1]) % 2 == 1, "an even number of backslashes leaves the character bare"


@given(TEXTS)
def test_plain_text_mentions_nobody(text: str) -> None:
    shown = plain(text, 10_000)
    assert "@everyone" not in shown
    assert "@here" not in shown
    assert not re.search(r"(?<!\\)<[@#]", shown)


CODE = re.compile("(?<![\\\\`])`[^`]+`(?!`)")


@given(TEXTS)
@example("\\`0`")
@example("`a\\`*b*")
def test_in_a_message_only_code_does_what_discord_makes_of_it(text: str) -> None:
    shown = CODE.sub("", message_line(text, 10_000))
    for match in re.finditer(r"(\\*)([*_~|`<>\[\]])", shown):
        assert len(match[1]) % 2 == 1, "an even number of backslashes leaves the character bare"
    assert not re.search("@(?!\u200b)|(?<!\\\\)://", shown)


@given(TEXTS, LIMITS)
def test_a_message_line_loses_nothing_but_its_end(text: str, limit: int) -> None:
    whole = message_line(text, 10_000)
    assert units(cut := message_line(text, limit)) <= limit
    assert cut == whole or whole.startswith(cut.removesuffix("…"))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("`cat.png` is empty (0 bytes). Use /interrogate.", "`cat.png` is empty (0 bytes). Use /interrogate."),
        ("<@1> @everyone **bold** [a](https://b.c)", r"\<@ 1\> @ everyone \*\*bold\*\* \[a\](https\://b.c)"),
        ("one ` alone, ``two``", r"one \` alone, \`\`two\`\`"),
    ],
)
def test_a_message_line(text: str, shown: str) -> None:
    assert message_line(text, 200) == shown.replace("@ ", "@\u200b")


@given(st.text(st.characters(categories=["L", "N"]), min_size=1))
def test_ordinary_words_come_through_unchanged(word: str) -> None:
    if one_line(word) == word:
        assert plain(word, 10_000) == word
        assert code_block(word, 10_000) == f"```\n{word}\n```"


def test_a_shortened_text_ends_at_a_word() -> None:
    assert shorten("a red kite over the hills, at dawn", 28) == "a red kite over the hills…"


@pytest.mark.parametrize("text", ["", " ", "\u200b\u2060", "\ufe0f"])
def test_a_text_that_shows_nothing_makes_no_inline_code(text: str) -> None:
    assert inline_code(text, 20) == ""


def test_columns_break_a_block_at_spaces_only() -> None:
    words = "a cat, portrait of a cat, an-unbreakable-phrase-longer-than-a-line, soft light"
    lines = code_block(words, 200, columns=20).splitlines()[1:-1]
    assert " ".join(lines) == words
    assert all(len(line) <= 20 or " " not in line for line in lines)
