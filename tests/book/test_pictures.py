"""What the comparison of pictures finds, and what it lets pass."""

import base64
import io
from collections.abc import Callable

import matplotlib.figure
import numpy as np
import pytest
from matplotlib.axes import Axes
from PIL import Image

import pictures

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=40), RNG.normal(size=40)


def drawn(
    change: Callable[[Axes], object] = lambda ax: None,
    *,
    shift: float = 0.0,
    color: str = "#0072b2",
    move: float = 0.0,
    size: tuple[float, float] = (4, 3),
) -> bytes:
    """A curve and some points; without arguments always the same ones."""
    fig = matplotlib.figure.Figure(figsize=size, dpi=100)
    ax = fig.subplots()
    x = np.linspace(-3, 3, 200)
    ax.plot(x, np.exp(-x * x / 2) + shift, color=color)
    points = Y.copy()
    points[7] += move
    ax.scatter(X, points, s=9, color="#d55e00")
    ax.set(xlim=(-3, 3), ylim=(-3, 3), xticks=[-2, 0, 2])
    change(ax)
    file = io.BytesIO()
    fig.savefig(file, format="png")
    return file.getvalue()


def one_pixel() -> float:
    """The height of a pixel, in the units of the axes above."""
    return 6 / (300 * 0.77)


def noisy(png: bytes, levels: int) -> bytes:
    a = pictures.pixels(png).astype(int)
    a += RNG.integers(-levels, levels + 1, size=a.shape)
    file = io.BytesIO()
    Image.fromarray(np.clip(a, 0, 255).astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


CHANGED = {
    "the curve one pixel higher": lambda: drawn(shift=one_pixel()),
    "another colour": lambda: drawn(color="#0072e2"),
    "one point moved by three pixels": lambda: drawn(move=3 * one_pixel()),
    "one point left out": lambda: drawn(move=100.0),
    "a digit of a tick label": lambda: drawn(
        lambda ax: ax.set_xticks([-2, 0, 2], labels=["-2", "0", "3"])
    ),
    "a tick left out": lambda: drawn(lambda ax: ax.set_xticks([-2, 2])),
    "a title": lambda: drawn(lambda ax: ax.set_title("i")),
    "a size": lambda: drawn(size=(4.01, 3)),
    "nothing drawn": lambda: drawn(lambda ax: ax.clear()),
}


@pytest.mark.parametrize("change", CHANGED)
def test_a_change_is_found(change: str) -> None:
    stored, new = drawn(), CHANGED[change]()
    said = pictures.difference(stored, new)
    assert said is not None
    assert said == pictures.difference(base64.b64encode(stored).decode(), new)


@pytest.mark.parametrize("levels", [0, 1, 8])
def test_noise_of_another_processor_passes(levels: int) -> None:
    assert pictures.difference(drawn(), noisy(drawn(), levels)) is None


def test_noise_beyond_the_levels_is_found() -> None:
    assert pictures.difference(drawn(), noisy(drawn(), 40)) is not None


@pytest.mark.parametrize(("count", "found"), [(0, False), (12, False), (13, True)])
def test_how_many_pixels_may_differ(count: int, found: bool) -> None:
    def png(a: np.ndarray) -> bytes:
        file = io.BytesIO()
        Image.fromarray(a).save(file, "PNG")
        return file.getvalue()

    a = np.full((20, 20, 3), 200, dtype=np.uint8)
    b, c = a.copy(), a.copy()
    b.reshape(-1, 3)[:count, 1] -= pictures.LEVELS + 1
    c.reshape(-1, 3)[:, 1] -= pictures.LEVELS
    assert (pictures.difference(png(a), png(b)) is not None) is found
    assert pictures.difference(png(a), png(c)) is None


def test_the_message_says_what_and_where() -> None:
    a = np.full((20, 30, 3), 255, dtype=np.uint8)
    b = a.copy()
    b[5:10, 2:8] = 0
    files = []
    for pixels in (a, b):
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "PNG")
        files.append(file.getvalue())
    assert pictures.difference(*files) == (
        "30 of 600 pixels differ by more than 16 of 255 levels (12 are allowed), between columns "
        "2 and 7 and rows 5 and 9"
    )
    red = (pictures.pixels(pictures.difference_png(*files))[..., :3] == (220, 0, 0)).all(axis=2)
    assert red.sum() == 30
    assert red[5:10, 2:8].all()


def test_the_difference_of_two_sizes_is_drawn() -> None:
    png = pictures.difference_png(drawn(), drawn(size=(5, 2)))
    assert pictures.pixels(png).shape[:2] == (300, 500)
