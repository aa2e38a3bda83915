"""How long the parts of a message may be: what is longer Discord refuses whole."""

from __future__ import annotations

from discord_interactions import RefusalError
from discord_payloads import MEBIBYTE, Json

CONTENT = 2000
EMBEDS = 10
EMBED_PARTS = {"title": 256, "description": 4096}
FOOTER = 2048
EMBED_TEXT = 6000  # of all embeds of a message together
ROWS = BUTTONS_A_ROW = 5
LABEL = 80
CUSTOM_ID = 100
FILES = 10
FILE_BYTES = 10 * MEBIBYTE
REQUEST_BYTES = 25 * MEBIBYTE


def check_limits(payload: Json, files: dict[str, Json]) -> None:
    """Raise RefusalError where the body of a message create or edit goes beyond one of them."""
    wrong = [*_wrong_text(payload), *_wrong_buttons(payload)]
    if wrong:
        raise RefusalError(400, 50035, f"Invalid Form Body: {', '.join(wrong)}")
    sizes = [file["size"] for file in files.values()]
    if len(sizes) > FILES or any(size > FILE_BYTES for size in sizes) or sum(sizes) > REQUEST_BYTES:
        raise RefusalError(413, 40005, "Request entity too large")


def _wrong_text(payload: Json) -> list[str]:
    embeds = payload.get("embeds") or []
    footers = [embed.get("footer", {}).get("text", "") for embed in embeds]
    texts = [(name, embed.get(name) or "", limit) for embed in embeds for name, limit in EMBED_PARTS.items()]
    texts += [("footer", footer, FOOTER) for footer in footers]
    together = sum(_units(text) for _, text, _ in texts)
    wrong = [name for name, text, limit in texts if _units(text) > limit]
    wrong += ["content"] * (_units(payload.get("content") or "") > CONTENT)
    return wrong + ["embeds"] * (len(embeds) > EMBEDS or together > EMBED_TEXT)


def _wrong_buttons(payload: Json) -> list[str]:
    rows = payload.get("components") or []
    buttons = [button for row in rows for button in row["components"]]
    ids = [button["custom_id"] for button in buttons if "custom_id" in button]
    wrong = ["components"] * (len(rows) > ROWS or any(len(row["components"]) > BUTTONS_A_ROW for row in rows))
    wrong += ["label"] * any(len(button.get("label") or "") > LABEL for button in buttons)
    return wrong + ["custom_id"] * (any(len(one) > CUSTOM_ID for one in ids) or len(set(ids)) < len(ids))


def _units(text: str) -> int:
    """Discord counts UTF-16 code units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
