"""A picture as content blocks that LangChain hands to any model."""

import base64
import io
from typing import Any

from PIL import Image

_QUALITY = 85


def picture_blocks(label: str, picture: Image.Image) -> list[dict[str, Any]]:
    """Return a text block with the label and an image block with the picture as JPEG."""
    return [{"type": "text", "text": label}, _block(picture)]


def smaller(block: dict[str, Any], halvings: int) -> dict[str, Any]:
    """Return an image block with its picture's sides halved so often; others as they are."""
    if block["type"] != "image" or not halvings:
        return block
    picture = Image.open(io.BytesIO(base64.b64decode(block["base64"])))
    picture.thumbnail((picture.width >> halvings, picture.height >> halvings))
    return _block(picture)


def _block(picture: Image.Image) -> dict[str, Any]:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=_QUALITY)
    encoded = base64.b64encode(file.getvalue()).decode()
    return {"type": "image", "base64": encoded, "mime_type": "image/jpeg"}
