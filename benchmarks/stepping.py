"""`python -m benchmarks.stepping`: how long a step takes on the page of 5,000 nodes. Needs Playwright and Chromium.

Each step is taken by the page's own function, and timed twice: with the layout that follows, and until the picture is drawn,
by software alone, as there is no graphics card. Exits with 1 if the second median is over the limit.
"""

from __future__ import annotations

import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import viz
from tinygrad_edu import Value, sin

from .browser import chromium

RESULTS = Path(__file__).parent / "results" / "stepping.md"
LIMIT = 250.0  # milliseconds
STEPS = """async () => {
  const times = [], drawn = [], painted = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  for (const start of [0, 2000, SEED, SEED + 3000, STEPS.length - 41]) {
    go(start);
    await painted();
    for (let k = 0; k < 40; k++) {
      const begun = performance.now();
      go(current + 1);
      document.body.getBoundingClientRect();  // with layout
      times.push(performance.now() - begun);
      await painted();
      drawn.push(performance.now() - begun);
    }
  }
  return [times, drawn];
}"""
JUMP = "(() => { const t = performance.now(); go(0); go(STEPS.length - 1); return (performance.now() - t) / 2; })()"


def main() -> int:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        print("left out: Playwright is not installed")
        return 0
    program = chromium()
    if program is None:
        print("left out: no Chromium is installed")
        return 0
    a, b = Value(0.5, name="a"), Value(0.3, name="b")
    v = a
    for _ in range(1000):
        v = sin(v) * b + a * 0.9
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        path = viz.step(v).save(Path(folder) / "page.html")
        text = path.read_text(encoding="utf-8").replace('<script type="module">', "<script>")  # to call its functions
        path.write_text(text, encoding="utf-8")
        page.goto(path.as_uri())
        nodes, (times, drawn), jump = page.evaluate("NODES.length"), page.evaluate(STEPS), page.evaluate(JUMP)
        opened = page.evaluate("performance.getEntriesByType('navigation')[0].domComplete")
        browser.close()
    text = (
        f"# Stepping\n\n{nodes:,} nodes in Chromium: {median(times):.1f} ms a step (slowest {max(times):.0f}), "
        f"{median(drawn):.0f} until it is drawn by software (slowest {max(drawn):.0f}; hold {LIMIT:.0f}), "
        f"{jump:.0f} ms from end to end, {opened:.0f} ms to open. Written by `python -m benchmarks.stepping`.\n"
    )
    print(text)
    RESULTS.write_text(text, encoding="utf-8")
    return int(median(drawn) > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
