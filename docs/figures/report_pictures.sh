#!/usr/bin/env bash
# Draws the pictures of reports in the README and docs/studies.md: headless Chromium takes the pages, Pillow cuts out sections.
#
#   docs/figures/report_pictures.sh lottery.html population.html run.html mapping.html
set -euo pipefail
figures=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for page in "$1" "$2" "$3" "$4"; do
  chromium --headless=new --no-sandbox --disable-gpu --hide-scrollbars --window-size=1240,4600 --virtual-time-budget=8000 \
    --screenshot="$work/$(basename "$page" .html).png" "file://$(realpath "$page")" 2>/dev/null
done
python3 - "$work" "$figures" "$(basename "$1" .html)" "$(basename "$2" .html)" "$(basename "$3" .html)" "$(basename "$4" .html)" <<'PYTHON'
import sys

from PIL import Image

work, figures, lottery, population, run, mapping = sys.argv[1:]


def cut(page, name, *rows):
    """Stacks the rows (from, to) of a page's picture."""
    picture = Image.open(f"{work}/{page}.png").convert("RGB")
    parts = [picture.crop((36, first, 1204, last)) for first, last in rows]
    whole = Image.new("RGB", (1168, sum(part.size[1] for part in parts)))
    top = 0
    for part in parts:
        whole.paste(part, (0, top))
        top += part.size[1]
    whole.resize((876, whole.size[1] * 3 // 4), Image.LANCZOS).quantize(128).save(f"{figures}/{name}.png", optimize=True)


cut(lottery, "report_lottery", (1015, 2262))
cut(population, "report_population", (2357, 3095))
cut(run, "report_run", (187, 677), (1650, 2165))
cut(mapping, "report_mapping", (187, 680), (1592, 2085))
PYTHON
