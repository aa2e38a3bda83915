"""Image files as generators write them: the texts in the places and forms that their programs use."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from html import escape

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

INFOTEXT = (
    "a lighthouse at dusk, (oil painting:1.2), <lora:sea:0.8>\nsecond line\n"
    "Negative prompt: blurry, low quality\nwatermark\n"
    "Steps: 28, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 6.5, Seed: 1234567890, Size: 832x1216, "
    'Model hash: 31e35c80fc, Model: sd_xl_base_1.0, Lora hashes: "sea: 1a2b, wave: 3c4d", Version: v1.10.1'
)
GRAPH: Mapping[str, object] = {
    "3": {
        "class_type": "KSampler",
        "inputs": {
            "seed": 42,
            "steps": 20,
            "cfg": 7.0,
            "sampler_name": "euler",
            "scheduler": "normal",
            "denoise": 1,
            "model": ["4", 0],
            "positive": ["6", 0],
            "negative": ["7", 0],
            "latent_image": ["5", 0],
        },
    },
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "dreamshaper_8.safetensors"}},
    "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 768, "batch_size": 1}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a paper boat on a pond", "clip": ["4", 1]}},
    "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "text, watermark", "clip": ["4", 1]}},
    "8": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["4", 2]}},
    "9": {"class_type": "SaveImage", "inputs": {"filename_prefix": "ComfyUI", "images": ["8", 0]}},
}
DRAW_THINGS = {
    "c": "a red cube & a <blue> sphere",
    "uc": "blurry",
    "model": "flux_1_schnell_q5p.ckpt",
    "sampler": "Euler A",
    "scale": 4.5,
    "seed": 2441935286,
    "seed_mode": "Scale Alike",
    "size": "64x32",
    "steps": 8,
    "strength": 1,
    "v2": {"loras": [{"file": "detail.ckpt", "weight": 0.8, "mode": "all"}]},
}
USER_COMMENT = 0x9286
MAKER_NOTE = 0x927C
SOFTWARE = 0x0131
EXIF_DIRECTORY = 0x8769


def picture() -> Image.Image:
    """A small one."""
    return Image.new("RGB", (16, 12), "teal")


def saved(kind: str, **options: object) -> bytes:
    """The picture as a file."""
    buffer = io.BytesIO()
    picture().save(buffer, kind, **options)  # type: ignore[arg-type]
    return buffer.getvalue()


def png(texts: Mapping[str, str], *, compressed: bool = False, international: bool = False) -> bytes:
    """With texts as Pillow writes them: tEXt where Latin-1 suffices, else iTXt."""
    info = PngInfo()
    for keyword, value in texts.items():
        if international:
            info.add_itxt(keyword, value, zip=compressed)
        else:
            info.add_text(keyword, value, zip=compressed)
    return saved("PNG", pnginfo=info)


def hiding(signature: bytes, body: bytes, mode: str = "RGBA", *, kind: str = "PNG", bits: int | None = None) -> bytes:
    """A picture with something in the lowest bits of its pixels, down one column after the other, and `bits` of it
    announced."""
    noise = np.random.default_rng(1).integers(0, 256, (70, 90, len(mode)), dtype=np.uint8)
    said = signature + (8 * len(body) if bits is None else bits).to_bytes(4, "big") + body
    stream = iter(np.unpackbits(np.frombuffer(said, np.uint8)).tolist())
    channels = [3] if b"png" in signature else [0, 1, 2]
    for column in range(90):
        for row in range(70):
            for channel in channels:
                noise[row, column, channel] = noise[row, column, channel] & 0xFE | next(stream, 0)
    buffer = io.BytesIO()
    Image.fromarray(noise, mode).save(buffer, kind)
    return buffer.getvalue()


def exif(comment: bytes, order: str = "<") -> bytes:
    """An EXIF block with a UserComment in the Exif directory, as piexif and exiftool put it."""
    block = Image.Exif()
    block.endian = order
    block.get_ifd(EXIF_DIRECTORY)[USER_COMMENT] = comment
    return block.tobytes()


def commented(kind: str, comment: bytes, order: str = "<") -> bytes:
    """A file with that EXIF block."""
    return saved(kind, exif=exif(comment, order))


def unicode_comment(text: str, order: str = ">") -> bytes:
    """As A1111 (">", through piexif) and other programs ("<") write it."""
    return b"UNICODE\0" + text.encode("utf-16-be" if order == ">" else "utf-16-le")


def draw_things_xmp(data: Mapping[str, object]) -> str:
    """The packet that Draw Things writes."""
    description = "a red cube&#xA;-blurry&#xA;Steps: 8, Sampler: Euler A, Guidance Scale: 4.5, Seed: 2441935286"
    return f"""<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 6.0.0">
  <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
    <rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"
        xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:exif="http://ns.adobe.com/exif/1.0/">
      <dc:description><rdf:Alt><rdf:li xml:lang="x-default">{description}</rdf:li></rdf:Alt></dc:description>
      <xmp:CreatorTool>Draw Things</xmp:CreatorTool>
      <exif:UserComment><rdf:Alt>
        <rdf:li xml:lang="x-default">{escape(json.dumps(data), quote=False)}</rdf:li>
      </rdf:Alt></exif:UserComment>
    </rdf:Description>
  </rdf:RDF>
</x:xmpmeta>
"""
