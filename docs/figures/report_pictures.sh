#!/usr/bin/env bash
# Draws the pictures of reports in the README and docs/studies.md: headless Chromium takes the pages, of which only some sections
# are left, and Pillow cuts off what is empty.
#
#   docs/figures/report_pictures.sh lottery.html population.html run.html mapping.html
set -euo pipefail
figures=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# picture PAGE NAME FIGURES SECTION...: the first FIGURES figures of each section, without its tables.
picture() {
  local page=$1 name=$2 count=$3
  shift 3
  local titles
  titles=$(printf '"%s",' "$@")
  {
    cat "$page"
    printf '<script>for (const node of document.querySelectorAll("header, footer, section")) {
      const title = node.querySelector("h2");
      if (title === null || ![%s].includes(title.textContent)) node.remove();
      for (const table of node.querySelectorAll(".scroll")) table.remove();
      [...node.querySelectorAll("figure")].slice(%d).forEach(figure => figure.remove());
    }</script>' "$titles" "$count"
  } >"$work/$name.html"
  chromium --headless=new --no-sandbox --disable-gpu --hide-scrollbars --window-size=1240,3000 --virtual-time-budget=8000 \
    --screenshot="$work/$name.png" "file://$work/$name.html" 2>/dev/null
  python3 - "$work/$name.png" "$figures/$name.png" <<'PYTHON'
import sys

from PIL import Image, ImageChops

page = Image.open(sys.argv[1]).convert("RGB")
left, top, right, bottom = ImageChops.difference(page, Image.new("RGB", page.size, page.getpixel((0, 0)))).getbbox()
whole = page.crop((left - 6, max(0, top - 6), right + 6, bottom + 6))
whole.resize((whole.size[0] * 3 // 4, whole.size[1] * 3 // 4), Image.LANCZOS).quantize(128).save(sys.argv[2], optimize=True)
PYTHON
}

picture "$1" report_lottery 12 "The lottery"
picture "$2" report_population 8 "Population size"
picture "$3" report_run 2 "Convergence" "Trade-offs"
picture "$4" report_mapping 2 "Convergence" "Trade-offs"
