"""Make assets/fonts anew from the packages that assets/fonts/README.md names.

    python tools/website/subset_fonts.py FOLDER

FOLDER holds the unpacked packages, each under its own name. Needs Brotli beside fontTools:
``pip install brotli``. A letter that the book begins to use is added here to LETTERS or SYMBOLS.
"""

import argparse
import io
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont
from fontTools.varLib import instancer

FONTS = Path(__file__).resolve().parents[2] / "assets" / "fonts"
LETTERS = (
    "".join(map(chr, [*range(0x20, 0x7F), *range(0xA0, 0x100)]))
    + "ĀāĂăĄąĆćČčĎďĐđĒēĘęĚěĞğĪīİıŁłŃńŇňŌōŐőŒœŘřŚśŞşŠšŤťŪūŮůŰűŸŹźŻżŽžȘșȚțẞ"
    + "ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩαβγδεζηθικλμνξοπρςστυφχψω"
    + "‐‑‒–—―‘’‚“”„†‡•…′″‹›€₁₂₃₄₅₆₇₈₉₀⁰⁴⁵⁶⁷⁸⁹"
    + "←↑→↓∂∆∏∑−√∞∫≈≠≤≥ℓ▲▶▼◀✓"
)
# Not in the text faces, or not in all of them.
SYMBOLS = "ϕϑϵᵀ⁺⁻ₙₖⱼᵢℒℝ⇒⇔↦∇≡∈∉⋅∝⊤⟂‖■●○★✓✗∎▲▶▼◀ℓ∂∑√"
FEATURES = ["kern", "liga", "tnum", "lnum", "ccmp", "locl", "mark", "mkmk", "frac"]
SOURCES = {  # our file -> the package's file, the axes that stay, the new name
    "serif.woff2": (
        "source-serif/WOFF2/VAR/SourceSerif4Variable-Roman.ttf.woff2",
        {"wght": (400, 700), "opsz": 17},
        "Mixture Serif",
    ),
    "serif-italic.woff2": (
        "source-serif/WOFF2/VAR/SourceSerif4Variable-Italic.ttf.woff2",
        {"wght": (400, 700), "opsz": 17},
        "Mixture Serif Italic",
    ),
    "sans.woff2": (
        "source-sans/WOFF2/VF/SourceSans3VF-Upright.ttf.woff2",
        {"wght": (400, 700)},
        "Mixture Sans",
    ),
    "mono.woff2": (
        "source-code-pro/WOFF2/VF/SourceCodeVF-Upright.ttf.woff2",
        {"wght": (400, 700)},
        "Mixture Mono",
    ),
    "symbols.woff2": ("dejavu-fonts-ttf/ttf/DejaVuSans.ttf", {}, "Mixture Symbols"),
}
NAMES_OF_THE_FACE = (1, 3, 4, 6, 16, 21, 25)


def made(source: Path, letters: str, axes: dict[str, object], name: str) -> bytes:
    options = subset.Options(layout_features=FEATURES, hinting=False, name_IDs=["*"])
    subsetter = subset.Subsetter(options)
    subsetter.populate(text=letters)
    font = TTFont(source)
    subsetter.subset(font)
    font.flavor = None
    whole = io.BytesIO()
    font.save(whole)
    whole.seek(0)
    font = TTFont(whole, recalcTimestamp=False)
    if axes:
        font = instancer.instantiateVariableFont(font, axes)
    # the licences reserve the old names for unchanged files
    for record in font["name"].names:
        if record.nameID in NAMES_OF_THE_FACE:
            record.string = name.replace(" ", "") if record.nameID in (6, 25) else name
    font.flavor = "woff2"
    out = io.BytesIO()
    font.save(out)
    return out.getvalue()


def main() -> None:
    parser = argparse.ArgumentParser(description="Make assets/fonts anew.")
    parser.add_argument("folder", type=Path, help="the unpacked packages, each under its name")
    packages = parser.parse_args().folder
    for file, (source, axes, name) in SOURCES.items():
        letters = SYMBOLS if file == "symbols.woff2" else LETTERS
        (FONTS / file).write_bytes(made(packages / source, letters, axes, name))
        print(f"{file:20} {(FONTS / file).stat().st_size:7} bytes")


if __name__ == "__main__":
    main()
