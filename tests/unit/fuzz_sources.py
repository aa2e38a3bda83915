"""What is damaged by `fuzz.py`: whole files of every format and mode, with the parameters of every program in every
place for them."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping

import pillow_heif
from generated_files import (
    DRAW_THINGS,
    GRAPH,
    INFOTEXT,
    MAKER_NOTE,
    SOFTWARE,
    USER_COMMENT,
    commented,
    draw_things_xmp,
    hiding,
    png,
    saved,
    unicode_comment,
)
from PIL import Image

_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF")
_MODES = {
    "PNG": ("1", "L", "LA", "P", "PA", "RGBA", "I;16"),
    "JPEG": ("L", "CMYK"),
    "WEBP": ("RGBA",),
    "GIF": ("P", "RGBA"),
    "BMP": ("1", "L", "P", "RGBA"),
    "TIFF": ("1", "L", "LA", "P", "RGBA", "I;16", "I;16B", "I", "F", "CMYK", "YCbCr", "LAB"),
    "AVIF": ("L", "RGBA"),
    "HEIF": ("L", "RGBA"),
}
_ANIMATED = ("PNG", "GIF", "WEBP", "TIFF", "AVIF", "HEIF")
_TIFF_WAYS = ("tiff_lzw", "jpeg", "tiff_deflate", "tiff_adobe_deflate", "packbits", "tiff_lzma")
_CARRYING_EXIF = ("PNG", "JPEG", "WEBP", "TIFF", "AVIF", "HEIF")
_XMP_KEYWORD = "XML:com.adobe.xmp"


pillow_heif.register_heif_opener()  # to write such files


def whole_files() -> dict[str, bytes]:
    """All of them by a name; what may not be answered with an image is last."""
    return {**pictures(), **texts_in_png(), **texts_in_exif(), **texts_in_xmp(), **texts_in_pixels(), **large_files()}


def pictures() -> dict[str, bytes]:
    """Every format, with every mode of pixels, way of packing them and number of frames that it may have."""
    files = {kind: saved(kind) for kind in _FORMATS}
    files |= {f"{kind} {mode}": in_mode(kind, mode) for kind, modes in _MODES.items() for mode in modes}
    files |= {f"{kind} animated": animated(kind) for kind in _ANIMATED}
    files |= {f"TIFF {name}": saved("TIFF", compression=name) for name in _TIFF_WAYS}
    files["TIFF group4"] = in_mode("TIFF", "1", compression="group4")
    files["TIFF big"] = saved("TIFF", big_tiff=True)
    files["TIFF predictor"] = saved("TIFF", compression="tiff_lzw", tiffinfo={317: 2})
    files["JPEG progressive"] = saved("JPEG", progressive=True)
    files["WEBP lossless"] = saved("WEBP", lossless=True)
    files["PNG transparency"] = saved("PNG", transparency=(0, 128, 128))
    return files


def in_mode(kind: str, mode: str, **options: object) -> bytes:
    """A picture of these pixels."""
    ramp = Image.linear_gradient("L").resize((16, 12))
    whole = {"I;16": "I;16", "I;16B": "I;16", "PA": "P", "LAB": "RGB"}.get(mode, mode)
    picture = ramp.convert("L").convert(whole) if whole != "I;16" else ramp.convert("I").convert("I;16")
    if mode == "I;16B":
        picture = Image.frombytes("I;16B", picture.size, picture.tobytes())
    elif mode == "PA":
        picture = ramp.convert("RGBA").quantize(16)
    elif mode == "LAB":
        picture = Image.frombytes("LAB", picture.size, picture.tobytes())
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def animated(kind: str) -> bytes:
    """Three frames."""
    first, *others = (Image.new("RGB", (16, 12), colour) for colour in ("teal", "gold", "black"))
    buffer = io.BytesIO()
    first.save(buffer, kind, save_all=True, append_images=others)
    return buffer.getvalue()


def parameters() -> dict[str, dict[str, str]]:
    """What each program writes, by the keywords of a PNG."""
    fooocus = {"prompt": "a cabin", "negative_prompt": "ugly", "base_model": "m", "resolution": "(1, 2)", "steps": 30}
    caption = {"caption": {"base_caption": "two people", "char_captions": [{"char_caption": "a girl"}]}}
    novelai = {"prompt": "a", "uc": "b", "steps": 28, "v4_prompt": caption, "v4_negative_prompt": caption}
    invoke = {"positive_prompt": "a", "negative_prompt": "b", "model": {"name": "m"}, "width": 8, "height": 8}
    old = {"image": {"prompt": [{"prompt": "a [b]"}], "steps": 5}, "model_weights": "w"}
    return {
        "A1111": {"parameters": INFOTEXT},
        "Forge": {"parameters": INFOTEXT.replace("v1.10.1", "f2.0.1")},
        "ComfyUI": {"prompt": json.dumps(GRAPH)},
        "ComfyUI editor": {"workflow": json.dumps(workflow())},
        "InvokeAI": {"invokeai_metadata": json.dumps(invoke)},
        "InvokeAI 2": {"sd-metadata": json.dumps(old)},
        "InvokeAI 1": {"Dream": '"a fox [dull]" -s50 -S1234 -W512 -H768 -C7.5 -A k_lms'},
        "NovelAI": {"Software": "NovelAI", "Description": "a", "Source": "m", "Comment": json.dumps(novelai)},
        "Fooocus": {"fooocus_scheme": "fooocus", "parameters": json.dumps(fooocus)},
        "Draw Things": {_XMP_KEYWORD: draw_things_xmp(DRAW_THINGS)},
    }


def workflow() -> Mapping[str, object]:
    """ComfyUI's editor form, with a text that comes from another node."""

    def part(key: int, kind: str, widgets: list[object], **links: int) -> dict[str, object]:
        inputs = [{"name": name, "type": "*", "link": link} for name, link in links.items()]
        return {"id": key, "type": kind, "mode": 0, "inputs": inputs, "widgets_values": widgets}

    nodes = [
        part(3, "KSampler", [42, "randomize", 20, 7, "euler", "normal", 1], positive=4, negative=6, model=1),
        part(4, "CheckpointLoaderSimple", ["m.safetensors"]),
        part(6, "CLIPTextEncode", [""], clip=3, text=10),
        part(7, "CLIPTextEncode", ["watermark"], clip=5),
        part(11, "PrimitiveNode", ["a paper boat on a pond", "fixed"]),
    ]
    links = [[1, 4, 0, 3, 0, "MODEL"], [4, 6, 0, 3, 1, "COND"], [6, 7, 0, 3, 2, "COND"], [10, 11, 0, 6, 1, "STRING"]]
    return {"nodes": nodes, "links": links, "version": 0.4}


def texts_in_png() -> dict[str, bytes]:
    """The parameters of every program as tEXt, zTXt and iTXt."""
    return {
        f"PNG {name}{' zip' * packed}{' iTXt' * wide}": png(texts, compressed=packed, international=wide)
        for name, texts in parameters().items()
        for packed in (False, True)
        for wide in (False, True)
    }


def comments() -> dict[str, bytes]:
    """A UserComment in every character set."""
    return {
        "UTF-16BE": unicode_comment(INFOTEXT, ">"),
        "UTF-16LE": unicode_comment(INFOTEXT, "<"),
        "ASCII": b"ASCII\0\0\0" + INFOTEXT.encode(),
        "JIS": b"JIS\0\0\0\0\0" + "灯台\nSteps: 1, Seed: 2, Size: 3x4".encode("iso2022_jp"),
        "unnamed": bytes(8) + json.dumps(GRAPH).encode(),
        "bare": json.dumps(DRAW_THINGS).encode(),
    }


def texts_in_exif() -> dict[str, bytes]:
    """Every character set in both byte orders in every format, and what stands in the main directory."""
    files = {
        f"{kind} EXIF {order} {name}": commented(kind, comment, order)
        for kind in _CARRYING_EXIF
        for order in "<>"
        for name, comment in comments().items()
        if kind not in ("AVIF", "HEIF") or name == "UTF-16BE"  # slow to write, and read through the same
    }
    block = Image.Exif()
    block[USER_COMMENT], block[SOFTWARE], block[MAKER_NOTE] = json.dumps({"prompt": "a"}), "Fooocus v2", "fooocus"
    files["JPEG EXIF Fooocus"] = saved("JPEG", exif=block.tobytes())
    camera = Image.Exif()
    camera[0x010F], camera[0x0110] = f"Workflow:{json.dumps(workflow())}", f"Prompt:{json.dumps(GRAPH)}"
    files["WEBP EXIF ComfyUI"] = saved("WEBP", exif=camera.tobytes())
    files["JPEG comment"] = saved("JPEG", comment=parameters()["Fooocus"]["parameters"].encode())
    return files


def texts_in_xmp() -> dict[str, bytes]:
    """A packet in every format that has a place for it."""
    xmp = draw_things_xmp(DRAW_THINGS)
    files = {f"{kind} XMP": saved(kind, xmp=xmp.encode()) for kind in ("JPEG", "WEBP", "AVIF", "HEIF")}
    files["TIFF XMP"] = saved("TIFF", tiffinfo={700: xmp.encode()})
    return files


def texts_in_pixels() -> dict[str, bytes]:
    """Hidden as NovelAI does, packed and not; and in the comment of a GIF."""
    hidden = {f"{kind} pixels": hiding(b"stealth_pnginfo", INFOTEXT.encode(), kind=kind) for kind in ("TIFF", "PNG")}
    return {**hidden, "GIF comment": saved("GIF", comment=INFOTEXT.encode())}


def large_files() -> dict[str, bytes]:
    """Few bytes that make many pixels, and few that make a long text."""
    buffer = io.BytesIO()
    Image.new("RGB", (1900, 1900), "teal").save(buffer, "PNG")
    return {"PNG large": buffer.getvalue(), "PNG bomb": png({"parameters": "a" * 30_000_000}, compressed=True)}


FRAMES: tuple[Callable[[str], bytes], ...] = (
    lambda text: png({"parameters": text}),
    lambda text: png({"parameters": text}, compressed=True),
    lambda text: png({"prompt": text}, international=True),
    lambda text: png({"workflow": text}, compressed=True, international=True),
    lambda text: png({"invokeai_metadata": text}),
    lambda text: png({"sd-metadata": text}),
    lambda text: png({"Dream": text}),
    lambda text: png({"Software": "NovelAI", "Comment": text}),
    lambda text: png({"fooocus_scheme": "fooocus", "parameters": text}),
    lambda text: png({_XMP_KEYWORD: text}, international=True),
    lambda text: commented("JPEG", unicode_comment(text[:30_000]), ">"),  # a segment has 64 KB
    lambda text: commented("WEBP", unicode_comment(text, "<"), "<"),
    lambda text: commented("TIFF", text.encode(errors="replace")),
    lambda text: saved("JPEG", comment=text.encode(errors="replace")[:60_000]),
    lambda text: saved("WEBP", xmp=text.encode(errors="replace")),
)
"""Sound files around a text, whatever it is."""


def texts() -> list[str]:
    """All that programs write, without the file around it."""
    return [text for one in parameters().values() for text in one.values()]
