"""Are two pictures the same drawing? Used by run_notebooks.py and by the tests."""

import base64
import io

import numpy as np
from PIL import Image

# Another processor, or a rounding in the last digit of a coordinate, moves the anti-aliasing at
# the edge of a line by a few levels of 255. Moving a line by one whole pixel changes pixels by
# the full contrast of line and paper, well over 100 levels. 16 lies between, near the noise.
LEVELS = 16
# A coordinate that is rounded to the neighbouring pixel can still flip a pixel here and there,
# such as one end of a tick. One marker, one digit or a piece of a curve has more than 12 pixels.
PIXELS = 12


def difference(stored: str | bytes, new: str | bytes) -> str | None:
    """What differs between two PNGs, in words; None where they are the same drawing.

    Parameters
    ----------
    stored, new : str (base64, as in a notebook) or bytes (as in a file)
    """
    if stored == new:
        return None
    a, b = pixels(stored), pixels(new)
    if a.shape != b.shape:
        return (
            f"the stored picture has {a.shape[1]} x {a.shape[0]} pixels, "
            f"the new one {b.shape[1]} x {b.shape[0]}"
        )
    different = _different(a, b)
    count = int(different.sum())
    if count <= PIXELS:
        return None
    rows, columns = np.nonzero(different)
    return (
        f"{count} of {different.size} pixels differ by more than {LEVELS} of 255 levels "
        f"({PIXELS} are allowed), between columns {columns.min()} and {columns.max()} and rows "
        f"{rows.min()} and {rows.max()}"
    )


def difference_png(stored: str | bytes, new: str | bytes) -> bytes:
    """A picture of the difference: the stored drawing in pale grey, what differs in red."""
    a, b = pixels(stored), pixels(new)
    height, width = np.maximum(a.shape[:2], b.shape[:2])
    a, b = _padded(a, height, width), _padded(b, height, width)
    grey = 255 - (255 - a[..., :3].mean(axis=2)) / 4
    out = np.repeat(grey[..., np.newaxis], 3, axis=2).astype(np.uint8)
    out[_different(a, b)] = (220, 0, 0)
    file = io.BytesIO()
    Image.fromarray(out).save(file, "PNG")
    return file.getvalue()


def as_bytes(picture: str | bytes) -> bytes:
    """The PNG file of a picture given as in a notebook or as in a file."""
    return base64.b64decode(picture) if isinstance(picture, str) else picture


def pixels(picture: str | bytes) -> np.ndarray:
    """(height, width, 4) levels of red, green, blue and opacity, 0 to 255."""
    with Image.open(io.BytesIO(as_bytes(picture))) as image:
        return np.asarray(image.convert("RGBA"))


def _different(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.abs(a.astype(int) - b.astype(int)).max(axis=2) > LEVELS


def _padded(a: np.ndarray, height: int, width: int) -> np.ndarray:
    out = np.full((height, width, 4), 255, dtype=np.uint8)
    out[: a.shape[0], : a.shape[1]] = a
    return out
