"""Cut the shipped font out of Noto Sans CJK SC, so that no box shows on a machine without Chinese fonts.

Run by a developer when a text gains a character (tests/test_charts.py names it):

    .venv/bin/python benchmarks/cut_font.py

Needs Debian's ``fonts-noto-cjk`` and the development tools (fonttools, brotli).  It writes
``warning/fonts/NotoSansSC-subset.otf`` for pictures and ``.woff2`` for the page.  Kept are GB 2312,
ASCII, Latin-1, the marks the service draws, and every character of the shipped files.

Source: Noto Sans CJK 2.004, (c) 2014-2021 Adobe, SIL Open Font License 1.1 (warning/fonts/OFL.txt).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

ROOT = Path(__file__).resolve().parents[1]
SOURCE = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")
FACE = 2  # Simplified Chinese, in the order of the collection
FOLDERS = ("city", "rules", "templates", "examples", "warning")
KINDS = {".csv", ".toml", ".json", ".j2", ".py", ".html"}
MARKS = "−△▲◆◇■□●○／＼°±×÷≥≤≈–—…·←↑→↓‰℃①②③④⑤⑥⑦⑧⑨⑩〔〕【】《》“”‘’"
STREETS = "漖滘碁埗墩㙟"  # of Guangzhou's street and village names, outside GB 2312


def wanted() -> set[str]:
    """Return every character the font must show."""
    double = (bytes((high, low)) for high in range(0xA1, 0xF8) for low in range(0xA1, 0xFF))
    national = "".join(pair.decode("gb2312", errors="ignore") for pair in double)
    plain = "".join(map(chr, (*range(0x20, 0x7F), *range(0xA0, 0x100), *range(0x3000, 0x3020), *range(0xFF01, 0xFF5F))))
    files = (path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*")) if path.suffix in KINDS)
    shipped = "".join(path.read_text(encoding="utf-8") for path in files)
    return {c for c in national + plain + MARKS + STREETS + shipped if c.isprintable()}


def cut(characters: set[str], folder: Path) -> list[Path]:
    """Write the two files; return their paths."""
    font = TTFont(SOURCE, fontNumber=FACE, recalcTimestamp=False)
    options = subset.Options()
    options.hinting = False
    options.layout_features = ["kern", "liga"]
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14]
    options.name_languages = [0x409]
    options.drop_tables += ["vhea", "vmtx", "VORG", "BASE"]
    cutter = subset.Subsetter(options)
    cutter.populate(text="".join(sorted(characters)))
    cutter.subset(font)
    for number, text in (
        (1, "Noto Sans SC"),
        (3, "Noto Sans SC subset"),
        (4, "Noto Sans SC"),
        (6, "NotoSansSC-Regular"),
    ):
        font["name"].setName(text, number, 3, 1, 0x409)
    written = []
    for suffix, flavour in ((".otf", None), (".woff2", "woff2")):
        font.flavor = flavour
        path = folder / f"NotoSansSC-subset{suffix}"
        font.save(path)
        written.append(path)
    return written


def main(arguments: list[str]) -> int:
    """Cut the font and say how large it came out."""
    parser = argparse.ArgumentParser(description="cut the shipped font out of Noto Sans CJK SC")
    parser.add_argument("--folder", type=Path, default=ROOT / "warning" / "fonts")
    folder = parser.parse_args(arguments).folder
    folder.mkdir(parents=True, exist_ok=True)
    characters = wanted()
    for path in cut(characters, folder):
        print(f"{path.name}: {path.stat().st_size / 1e6:.2f} MB, {len(characters)} characters wanted")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
