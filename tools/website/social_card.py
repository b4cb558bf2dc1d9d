"""Draw assets/social-card.png, which other sites show where somebody links to the book.

Run it by hand when the title or the look changes: ``python tools/website/social_card.py``.
"""

from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np

from gmmlib import Mixture
from gmmlib.gaussian import log_gaussian

TARGET = Path(__file__).resolve().parents[2] / "assets" / "social-card.png"
BLUE, ORANGE, INK = "#0072b2", "#d55e00", "#14181b"


def main() -> None:
    mpl.use("Agg")
    plt.rcParams["font.family"] = "DejaVu Serif"
    mixture = Mixture.univariate(weights=[0.55, 0.45], means=[-1.1, 1.5], variances=[0.9, 0.6])
    x = np.linspace(-5, 5, 800)
    parts = mixture.weights * np.exp(log_gaussian(x, mixture.means, mixture.covariances))
    fig = plt.figure(figsize=(12, 6.3), dpi=100, facecolor="white")
    ax = fig.add_axes((0, 0, 1, 0.56))
    ax.axis("off")
    ax.set(xlim=(-5, 5), ylim=(0, 0.33))
    for part, colour in zip(parts.T, (BLUE, ORANGE), strict=True):
        ax.fill_between(x, part, color=colour, alpha=0.3, linewidth=0)
        ax.plot(x, part, color=colour, linewidth=3)
    ax.plot(x, parts.sum(axis=1), color=INK, linewidth=3, linestyle=(0, (5, 3)))
    fig.text(0.06, 0.80, "Gaussian Mixtures, Executed", fontsize=46, color=INK)
    words = "The EM algorithm, in a book in which every equation runs"
    fig.text(0.06, 0.69, words, fontsize=24, color="#4a525a")
    fig.savefig(TARGET, metadata={"Software": None})


if __name__ == "__main__":
    main()
