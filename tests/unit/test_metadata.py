"""Generation parameters in files: read from where each program puts them, bounded, never evaluated."""

from __future__ import annotations

import json
import struct
import unicodedata
import zlib

import pillow_heif
import pytest
from generated_files import (
    DRAW_THINGS,
    INFOTEXT,
    MAKER_NOTE,
    SOFTWARE,
    USER_COMMENT,
    commented,
    draw_things_xmp,
    exif,
    png,
    saved,
    unicode_comment,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from interrogator.metadata import read_parameters
from interrogator.metadata.values import MAX_PROMPT, MAX_SETTINGS
from interrogator.types import Embedded


def read(data: bytes) -> Embedded:
    found = read_parameters(data)
    assert found is not None
    return found


def setting(found: Embedded, name: str) -> str:
    return dict(found.settings)[name]


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def with_chunk(name: bytes, body: bytes) -> bytes:
    """A PNG with one more chunk, before its end."""
    whole = saved("PNG")
    return whole[:-12] + chunk(name, body) + whole[-12:]


def check_infotext(found: Embedded) -> None:
    assert found.generator == "A1111"
    assert found.prompt == "a lighthouse at dusk, (oil painting:1.2), <lora:sea:0.8>\nsecond line"
    assert found.negative == "blurry, low quality\nwatermark"
    assert found.settings[:5] == (
        ("Steps", "28"),
        ("Sampler", "DPM++ 2M"),
        ("Schedule type", "Karras"),
        ("CFG scale", "6.5"),
        ("Seed", "1234567890"),
    )
    assert setting(found, "Lora hashes") == "sea: 1a2b, wave: 3c4d"


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("international", [False, True])
def test_a1111_in_every_kind_of_png_text(compressed: bool, international: bool) -> None:
    check_infotext(read(png({"parameters": INFOTEXT}, compressed=compressed, international=international)))


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "TIFF", "PNG", "AVIF", "HEIF"])
def test_a1111_in_the_exif_of_every_format(kind: str) -> None:
    if kind == "HEIF":
        pillow_heif.register_heif_opener()  # to write one
    check_infotext(read(commented(kind, unicode_comment(INFOTEXT))))


@pytest.mark.parametrize("text_order", ["<", ">"])
@pytest.mark.parametrize("block_order", ["<", ">"])
@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_user_comments_in_both_byte_orders_whatever_the_block_says(
    kind: str, block_order: str, text_order: str
) -> None:
    data = commented(kind, unicode_comment(INFOTEXT, text_order), block_order)
    assert (b"MM\0*" in data) is (block_order == ">")
    check_infotext(read(data))


@pytest.mark.parametrize(
    "comment",
    [
        b"ASCII\0\0\0" + INFOTEXT.encode(),
        b"UNICODE\0" + INFOTEXT.encode(),  # as some libraries have it
        b"UNICODE\0" + INFOTEXT.encode("utf-16"),  # with a byte order mark
        b"JIS\0\0\0\0\0" + INFOTEXT.encode("iso2022_jp"),
        bytes(8) + INFOTEXT.encode(),
        INFOTEXT.encode(),
        INFOTEXT.encode("utf-16-le"),
    ],
    ids=["ASCII", "UTF-8 called UNICODE", "with a mark", "JIS", "undefined", "no prefix", "UTF-16 without prefix"],
)
def test_user_comments_in_every_character_set(comment: bytes) -> None:
    check_infotext(read(commented("JPEG", comment)))


@pytest.mark.parametrize("comment", [b"UNICODE\0" + "海辺の灯台、夕暮れ\nNegative prompt: ぼやけ".encode("utf-16-be")])
def test_japanese_is_read_as_japanese(comment: bytes) -> None:
    assert read(commented("JPEG", comment, ">")) == Embedded("A1111", "海辺の灯台、夕暮れ", "ぼやけ")
    jis = b"JIS\0\0\0\0\0" + "灯台\nNegative prompt: ぼやけ".encode("iso2022_jp")
    assert read(commented("JPEG", jis)) == Embedded("A1111", "灯台", "ぼやけ")


def test_latin_and_utf_8_texts_of_a_png() -> None:
    prompt = "café à la carte"
    for raw in (prompt.encode(), prompt.encode("latin-1")):
        assert read(with_chunk(b"tEXt", b"parameters\0" + raw)).prompt == prompt


@pytest.mark.parametrize(
    ("settings", "generator"),
    [
        ("Version: f2.0.1v1.10.1-previous-659-gc055f2d4", "Forge"),
        ("Version: v1.6.0", "A1111"),
        ("Version: ComfyUI", "ComfyUI"),
        ("Version: Fooocus v2.5.5", "Fooocus"),
    ],
)
def test_the_program_is_named_by_its_version(settings: str, generator: str) -> None:
    found = read(png({"parameters": f"a boat\nSteps: 4, Sampler: Euler, Seed: 1, {settings}"}))
    assert (found.generator, found.prompt) == (generator, "a boat")


def test_a_line_with_few_settings_is_a_line_of_the_prompt() -> None:
    assert read(png({"parameters": "a boat\nnote: calm, sea: blue"})) == Embedded(
        "A1111", "a boat\nnote: calm, sea: blue"
    )


def test_settings_may_hold_line_ends_and_quotes() -> None:
    template = json.dumps('a "b", c\nNegative prompt: d')
    found = read(png({"parameters": f"a boat\nSteps: 4, Sampler: Euler, Template: {template},\nSeed: 1"}))
    assert setting(found, "Template") == 'a "b", c Negative prompt: d'
    assert setting(found, "Seed") == "1"


def test_a_camera_s_comment_is_no_prompt() -> None:
    assert read_parameters(commented("JPEG", b"ASCII\0\0\0a day at the sea")) is None


def test_invokeai() -> None:
    data = {
        "app_version": "5.0.0",
        "generation_mode": "sdxl_txt2img",
        "positive_prompt": "a fox in snow",
        "negative_prompt": "text",
        "positive_style_prompt": "ink drawing",
        "width": 1024,
        "height": 768,
        "seed": 7,
        "steps": 30,
        "cfg_scale": 5.5,
        "scheduler": "dpmpp_2m_k",
        "model": {"key": "1", "hash": "blake3:0", "name": "Juggernaut XL", "base": "sdxl"},
    }
    found = read(png({"invokeai_metadata": json.dumps(data), "invokeai_graph": "{}"}))
    assert found == Embedded(
        "InvokeAI",
        "a fox in snow\nink drawing",
        "text",
        (
            ("Steps", "30"),
            ("Scheduler", "dpmpp_2m_k"),
            ("CFG scale", "5.5"),
            ("Seed", "7"),
            ("Size", "1024x768"),
            ("Model", "Juggernaut XL"),
        ),
    )


def test_invokeai_of_version_2() -> None:
    image = {
        "prompt": [{"prompt": "a fox [blurry] in snow [text]", "weight": 1.0}],
        "steps": 50,
        "sampler": "k_lms",
        "cfg_scale": 7.5,
        "seed": 3,
        "width": 512,
        "height": 512,
    }
    data = {"model": "stable diffusion", "model_weights": "stable-diffusion-1.5", "app_version": "2.3", "image": image}
    found = read(png({"sd-metadata": json.dumps(data), "Dream": '"ignored" -s1'}))
    assert (found.prompt, found.negative) == ("a fox in snow", "blurry, text")
    assert setting(found, "Model") == "stable-diffusion-1.5"


@pytest.mark.parametrize("prompt", ['"a fox "by" nobody [dull]"', 'a fox "by" nobody [dull]'])
def test_invokeai_of_the_first_versions(prompt: str) -> None:
    found = read(png({"Dream": f"{prompt} -s50 -S1234 -W512 -H768 -C7.5 -A k_lms"}))
    assert (found.generator, found.prompt, found.negative) == ("InvokeAI", 'a fox "by" nobody', "dull")
    assert dict(found.settings) == {
        "Steps": "50",
        "Sampler": "k_lms",
        "CFG scale": "7.5",
        "Seed": "1234",
        "Size": "512x768",
    }


def novelai() -> dict[str, str]:
    comment = {"steps": 28, "scale": 5.0, "uc": "lowres", "seed": 9, "sampler": "k_euler", "width": 832, "height": 1216}
    return {
        "Title": "AI generated image",
        "Description": "1girl, lighthouse",
        "Software": "NovelAI",
        "Source": "Stable Diffusion XL C1E1DE52",
        "Comment": json.dumps(comment),
    }


def test_novelai() -> None:
    found = read(png(novelai()))
    assert (found.generator, found.prompt, found.negative) == ("NovelAI", "1girl, lighthouse", "lowres")
    assert dict(found.settings) == {
        "Steps": "28",
        "Sampler": "k_euler",
        "Scale": "5",
        "Seed": "9",
        "Size": "832x1216",
        "Model": "Stable Diffusion XL C1E1DE52",
    }


def test_novelai_in_webp_is_one_object_in_the_comment() -> None:
    assert read(commented("WEBP", b"ASCII\0\0\0" + json.dumps(novelai()).encode())) == read(png(novelai()))


def test_novelai_with_characters() -> None:
    def captions(base: str, *characters: str) -> dict[str, object]:
        return {"caption": {"base_caption": base, "char_captions": [{"char_caption": one} for one in characters]}}

    comment = {
        "prompt": "two people",
        "uc": "lowres",
        "v4_prompt": captions("two people", "girl, red hair", "boy"),
        "v4_negative_prompt": captions("lowres", "", "hat"),
    }
    found = read(png({"Software": "NovelAI", "Comment": json.dumps(comment)}))
    assert (found.prompt, found.negative) == ("two people\ngirl, red hair\nboy", "lowres\nhat")


FOOOCUS = {
    "adm_guidance": "(1.5, 0.8, 0.3)",
    "base_model": "juggernautXL_v8Rundiffusion",
    "full_negative_prompt": ["ugly", "unrealistic"],
    "full_prompt": ["cinematic still a cabin", "a cabin, intricate"],
    "guidance_scale": 4,
    "metadata_scheme": "fooocus",
    "negative_prompt": "ugly",
    "performance": "Speed",
    "prompt": "a cabin",
    "resolution": "(1152, 896)",
    "sampler": "dpmpp_2m_sde_gpu",
    "scheduler": "karras",
    "seed": "5",
    "sharpness": 2,
    "steps": 30,
    "styles": "['Fooocus V2', 'Fooocus Enhance']",
    "version": "Fooocus v2.4.3",
}


def check_fooocus(found: Embedded) -> None:
    assert (found.generator, found.prompt, found.negative) == ("Fooocus", "a cabin", "ugly")
    assert (setting(found, "Size"), setting(found, "Styles")) == ("1152x896", "['Fooocus V2', 'Fooocus Enhance']")


def test_fooocus() -> None:
    check_fooocus(read(png({"fooocus_scheme": "fooocus", "parameters": json.dumps(FOOOCUS)})))
    check_fooocus(read(png({"parameters": json.dumps(FOOOCUS)})))


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_fooocus_in_exif_stands_in_the_main_directory(kind: str) -> None:
    block = Image.Exif()
    block[USER_COMMENT], block[SOFTWARE], block[MAKER_NOTE] = json.dumps(FOOOCUS), "Fooocus v2.4.3", "fooocus"
    check_fooocus(read(saved(kind, exif=block.tobytes())))


def test_fooocus_in_a1111_s_form() -> None:
    found = read(png({"fooocus_scheme": "a1111", "parameters": INFOTEXT.replace("v1.10.1", "Fooocus v2.4.3")}))
    assert (found.generator, found.negative) == ("Fooocus", "blurry, low quality\nwatermark")


def check_draw_things(found: Embedded) -> None:
    assert found == Embedded(
        "Draw Things",
        "a red cube & a <blue> sphere",
        "blurry",
        (
            ("Steps", "8"),
            ("Sampler", "Euler A"),
            ("CFG scale", "4.5"),
            ("Seed", "2441935286"),
            ("Size", "64x32"),
            ("Model", "flux_1_schnell_q5p.ckpt"),
            ("Strength", "1"),
        ),
    )


def test_draw_things() -> None:
    xmp = draw_things_xmp(DRAW_THINGS)
    check_draw_things(read(png({"XML:com.adobe.xmp": xmp}, international=True)))
    for kind in ("JPEG", "WEBP", "TIFF"):
        options = {"tiffinfo": {700: xmp.encode()}} if kind == "TIFF" else {"xmp": xmp.encode()}
        check_draw_things(read(saved(kind, **options)))
    check_draw_things(read(commented("JPEG", b"ASCII\0\0\0" + json.dumps(DRAW_THINGS).encode())))


def test_draw_things_with_a_description_only() -> None:
    xmp = draw_things_xmp({}).replace("{}", "")
    found = read(png({"XML:com.adobe.xmp": xmp}, international=True))
    assert (found.generator, found.prompt, found.negative) == ("Draw Things", "a red cube", "blurry")
    assert setting(found, "Guidance Scale") == "4.5"


@pytest.mark.parametrize("codec", ["utf-8", "utf-16"])
def test_no_entity_of_an_xmp_packet_is_expanded(codec: str) -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>' + draw_things_xmp(DRAW_THINGS | {"c": "B"})
    bomb = bomb.replace("&amp;", "&b;")
    assert read_parameters(saved("JPEG", xmp=bomb.encode(codec))) is None


def test_texts_inflate_to_a_bound() -> None:
    bomb = zlib.compress(b"a" * 8_000_000)
    assert read_parameters(with_chunk(b"zTXt", b"parameters\0\0" + bomb)) is None
    assert read_parameters(with_chunk(b"iTXt", b"parameters\0\1\0\0\0" + bomb)) is None


def test_what_is_shown_is_bounded_and_visible() -> None:
    hidden = "a\u200bb\u202ec\x1b[31m\x00d\ufe0f\U000e0041 " + "x" * 100_000
    pairs = ", ".join(f"Name{number}: {'v' * 1000}" for number in range(500))
    found = read(png({"parameters": f"{hidden}\nNegative prompt: y\r\nz"}, international=True))
    assert found.prompt.startswith("abc[31md x")
    assert (len(found.prompt), found.negative) == (MAX_PROMPT, "y\nz")
    found = read(png({"parameters": f"a\nSteps: 1, {pairs}"}))
    assert len(found.settings) == MAX_SETTINGS
    assert max(len(value) for _, value in found.settings) <= 200


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"uc": ' + "9" * 10_000 + "}",
        '{"uc": NaN}',
        'x: "' * 30_000,
        "x" * 1_000_000,
        "x:," * 200_000,
        "\ud800".encode("utf-16-le", "surrogatepass").decode("latin-1") * 1000,
        "",
        "{}",
        "null",
    ],
    ids=lambda text: text[:8],
)
@pytest.mark.parametrize(
    "keyword", ["parameters", "prompt", "workflow", "Comment", "invokeai_metadata", "sd-metadata", "Dream"]
)
def test_absurd_texts_are_passed_over_or_shown_bounded(keyword: str, text: str) -> None:
    found = read_parameters(png({keyword: text}))
    assert found is None or len(found.prompt) <= MAX_PROMPT


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["prompt", "image", "uc", "v4_prompt", "caption", "model", "nodes", "links", "inputs", "c"])
            | st.text(max_size=5),
            inner,
            max_size=5,
        )
    ),
    max_leaves=8,
)
KEYWORDS = ["parameters", "prompt", "workflow", "invokeai_metadata", "sd-metadata", "Comment", "Software", "Dream"]


briefly = settings(max_examples=60, deadline=None)  # every example writes a file


@briefly
@given(texts=st.dictionaries(st.sampled_from(KEYWORDS), JSON.map(json.dumps) | st.text(max_size=60), min_size=1))
def test_any_texts_give_parameters_fit_to_show_or_none(texts: dict[str, str]) -> None:
    texts = {keyword: text.encode("utf-8", "replace").decode() for keyword, text in texts.items()}
    found = read_parameters(png(texts, international=True))
    if found is None:
        return
    shown = (found.prompt, found.negative, *(part for pair in found.settings for part in pair))
    assert any(shown)
    for text in shown:
        assert all(c == "\n" or unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co"} for c in text)


@briefly
@given(
    st.binary(max_size=200),
    st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe1", b"RIFF    WEBP", b"II*\0"]),
)
def test_any_bytes_give_parameters_or_none(data: bytes, signature: bytes) -> None:
    found = read_parameters(signature + data)
    assert found is None or isinstance(found, Embedded)


@briefly
@given(st.binary(max_size=120), st.sampled_from(["II*\0", "MM\0*"]))
def test_any_exif_block_gives_parameters_or_none(block: bytes, head: str) -> None:
    data = with_chunk(b"eXIf", head.encode("latin-1") + block)
    found = read_parameters(data)
    assert found is None or isinstance(found, Embedded)


def test_plain_pictures_have_none() -> None:
    assert all(read_parameters(saved(kind)) is None for kind in ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"))
    assert read_parameters(b"") is None
    assert read_parameters(saved("JPEG", exif=exif(b""))) is None
