"""Name the colours of a picture."""

from __future__ import annotations

from functools import cache

import numpy as np

# Colours, as people call them, that stand for each name; a pixel takes the name of the nearest.
ANCHORS = {
    "black": "000000 0c0c0c 181818 0a0a12 120c08",
    "white": "ffffff f4f4f4 eaeaea fdf8f0 f2f6fb eef2f8",
    "grey": "808080 6a6a6a 555555 404040 303030 9c9c9c b4b4b4 c8c8c8 d6d6d6 7a7f86 8a847c b0b4bc",
    "red": "ff0000 e02020 c81414 a01010 780a0a 500808 dc143c b22222 e74c3c d04040",
    "orange": "ffa500 ff8c00 f57c00 ff7a30 e67e22 f39c12 ff9a50 ffb888 f4a070",
    "yellow": "ffff00 ffe000 f8d030 f4e04d fff176 f5eea0 d8c020",
    "green": (
        "00ff00 00c000 008000 005a00 003800 2ecc71 90ee90 6b8e23 2e8b57 4caf50 a8d8a0 9acd32"
    ),
    "cyan": "00ffff 40e0d0 00ced1 20b2aa 008b8b 006470 80e8f0 b0f0f4 17a2b8 004850",
    "blue": (
        "0000ff 0000b0 000070 00003c 0a1a3a 1e3a8a 1e90ff 4169e1 "
        "3498db 4682b4 87bdeb a8ccf0 103060 6060f0 7878ff 40408a"
    ),
    "purple": (
        "800080 500050 300038 8a2be2 9370db 6a3fa0 4b0082 b050d0 c8a0e8 ff00ff c000c0 e0d0ff 705090"
    ),
    "pink": "ffc0cb ff69b4 ff1493 f8a0b8 e878a0 ffb0d8 f4c8d4 e91e63",
    "brown": "8b4513 a0522d 654321 4a2c12 301c0c b07840 c09060 d2b48c 7a5230",
}
COLOURS = tuple(ANCHORS)
STEPS = 32  # shades a channel in the table; finer than anybody names


def colour_shares(image: np.ndarray) -> np.ndarray:
    """The share of the picture that each of `COLOURS` covers (float, sums to 1).

    `image` is H x W x 3 uint8 RGB.
    """
    red, green, blue = (image[..., channel] // (256 // STEPS) for channel in range(3))
    counts = np.bincount(_table()[red, green, blue].ravel(), minlength=len(COLOURS))
    return counts / counts.sum()


def lightness(rgb: np.ndarray) -> np.ndarray:
    """Perceived lightness from 0 to 1 (the L of OKLab) of uint8 RGB values."""
    return _oklab(rgb)[..., 0]


@cache
def _table() -> np.ndarray:
    """The index of the nearest colour's name for every shade."""
    names: list[int] = []
    anchors: list[list[int]] = []
    for name, colours in enumerate(ANCHORS.values()):
        for colour in colours.split():
            names.append(name)
            anchors.append(list(bytes.fromhex(colour)))
    places = _oklab(np.array(anchors, np.uint8))
    centre = 256 // STEPS // 2
    axis = (np.arange(STEPS) * (256 // STEPS) + centre).astype(np.uint8)
    shades = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    nearest = [
        np.linalg.norm(part[:, None] - places, axis=-1).argmin(1)
        for part in np.array_split(_oklab(shades), STEPS)
    ]
    return np.array(names)[np.concatenate(nearest)].reshape(STEPS, STEPS, STEPS)


def _oklab(rgb: np.ndarray) -> np.ndarray:
    """sRGB (uint8) to OKLab, after Ottosson 2020: equal distances look equally different."""
    linear = rgb / 255.0
    linear = np.where(linear <= 0.04045, linear / 12.92, ((linear + 0.055) / 1.055) ** 2.4)
    cones = linear @ np.array(
        [
            [0.4122214708, 0.2119034982, 0.0883024619],
            [0.5363325363, 0.6806995451, 0.2817188376],
            [0.0514459929, 0.1073969566, 0.6299787005],
        ]
    )
    return np.cbrt(cones) @ np.array(
        [
            [0.2104542553, 1.9779984951, 0.0259040371],
            [0.7936177850, -2.4285922050, 0.7827717662],
            [-0.0040720468, 0.4505937099, -0.8086757660],
        ]
    )
