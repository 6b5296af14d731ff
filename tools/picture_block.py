"""A picture as content blocks that LangChain hands to any model."""

import base64
import io
from typing import Any

from PIL import Image

_QUALITY = 85


def picture_blocks(label: str, picture: Image.Image) -> list[dict[str, Any]]:
    """Return a text block with the label and an image block with the picture as JPEG."""
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=_QUALITY)
    encoded = base64.b64encode(file.getvalue()).decode()
    return [
        {"type": "text", "text": label},
        {"type": "image", "base64": encoded, "mime_type": "image/jpeg"},
    ]
