"""From a slider to a changed picture, in a real JupyterLab: ours against `interactive_output`.

    python benchmarks/explorers.py [--drags 40] [--rounds 3]

Needs the environment of tests/browser/requirements.lock (Playwright) and a Chromium, whose path
may be given as CHROMIUM. The designs draw the same plot, stand in one notebook, and are dragged in
turn, one step of the real mouse at a time. A third shows ready-made pictures: the floor, which is
what the way from the page to the kernel and back takes by itself. It moves with the machine: on
two cores Chromium's own painting competes with the server and the kernel.

The clock runs in the page, from the mouse event to the `load` of the picture that answers it
(decoded, ready to paint), and to the frame after that.
Then a fast drag: 120 steps without waiting, and what is still on its way when the hand stops.
Ends with status 1 if ours misses its goals.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

from nbformat.v4 import new_code_cell, new_notebook, writes

from course_utils.notebooks import normalise

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "browser"))
import lab  # noqa: E402

NOTEBOOK = "notebooks/00_start_here.ipynb"
OURS_NAME = "persistent, blitted (ours)"
GOAL_MEDIAN, GOAL_P95 = 16.0, 30.0  # milliseconds
GOAL_AFTER_STOP = 100.0
OURS = "from course_utils.explorers import chain_explorer\n\nchain_explorer()"
# The same with two pictures made beforehand: what slider, server and page take by themselves.
FLOOR = """
from itertools import cycle
from types import SimpleNamespace

from course_utils.explorers import chain_explorer

explorer = chain_explorer()
pictures = cycle([chain_explorer(weight=0.5).png, explorer.png])
explorer._canvas = SimpleNamespace(png=lambda: next(pictures))
explorer
"""
THEIRS = """
import ipywidgets as widgets
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import display
from course_utils import plots
from course_utils.chain_rule import log10_partial_products
from course_utils.explorers.chain_rule import DECADES, FLOAT32_SMALLEST, MOST_LINKS


def draw(weight, links):
    figure, ax = plt.subplots(figsize=(6.8, 3.6))
    ax.set(xlim=(0, MOST_LINKS), ylim=DECADES)
    plots.mark_level(FLOAT32_SMALLEST, label="below this line float32 holds only 0", ax=ax)
    plots.plot_gradient_by_layer(log10_partial_products(np.full(links, weight)), ax=ax)
    plt.show()


weight = widgets.FloatSlider(value=0.9, min=0.2, max=2, step=0.01)
links = widgets.IntSlider(value=30, min=1, max=100)
output = widgets.interactive_output(draw, {"weight": weight, "links": links})
display(weight, links, output)
"""
# A picture's load event does not bubble, but it can be captured. Only what changes after the
# mouse event counts, so that a late answer to the step before is never taken for this one's.
PROBE = """() => {
    window.probe = {moved: 0, loads: [], paints: []};
    document.addEventListener('pointermove', event => {
        window.probe.moved = event.timeStamp; window.probe.loads = []; window.probe.paints = [];
    }, true);
    document.addEventListener('load', event => {
        if (event.target.tagName !== 'IMG') return;
        const moved = window.probe.moved;
        window.probe.loads.push(performance.now() - moved);
        requestAnimationFrame(() => requestAnimationFrame(
            () => window.probe.paints.push(performance.now() - moved)));
    }, true);
}"""
ANSWERED = "() => window.probe.loads.length > 0 && window.probe.paints.length > 0"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--drags", type=int, default=40, help="steps of the slider, each design")
    parser.add_argument("--rounds", type=int, default=3, help="turns each design gets")
    options = parser.parse_args()

    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        # the folder that `course lab` takes for a course, with the two designs as its start page
        root = Path(scratch, "root")
        for folder in ("notebooks", "course_utils"):
            (root / folder).mkdir(parents=True)
        cells = [new_code_cell(source) for source in (OURS, FLOOR, THEIRS)]
        (root / NOTEBOOK).write_text(writes(normalise(new_notebook(cells=cells))))
        with lab.running_lab(root, Path(scratch, "lab")) as server:
            chromium = playwright.chromium.launch(
                executable_path=lab.CHROMIUM, args=list(lab.CHROMIUM_ARGS)
            )
            page = chromium.new_page(viewport={"width": 1280, "height": 1000})
            lab.open_notebook(page, server, NOTEBOOK)
            lab.run_all(page)
            if found := lab.errors(page):
                raise RuntimeError(f"the benchmark's notebook failed: {found[0]}")
            page.evaluate(PROBE)
            met = measure(page, drags=options.drags, rounds=options.rounds)
            chromium.close()
    return 0 if met else 1


def measure(page, *, drags: int, rounds: int) -> bool:
    """Drag both designs in turn, print the table, and say whether ours met its goals."""
    # the number of each design's first slider on the page
    designs = {OURS_NAME: 0, "ours without drawing (floor)": 2, "interactive_output": 4}
    loads = {name: [] for name in designs}
    paints = {name: [] for name in designs}
    for _ in range(rounds):
        for name, slider in designs.items():
            for load, paint in drag_slowly(page, slider, drags):
                loads[name].append(load)
                paints[name].append(paint)
    print(f"slider to changed picture, ms, {rounds} x {drags} drags each, interleaved")
    print(f"{'design':30}{'median':>8}{'p95':>8}{'on screen':>12}")
    for name in designs:
        median, p95 = statistics.median(loads[name]), quantile(loads[name])
        print(f"{name:30}{median:8.1f}{p95:8.1f}{statistics.median(paints[name]):12.1f}")
    ours = loads[OURS_NAME]
    after = drag_fast(page, steps=120)
    return (
        statistics.median(ours) <= GOAL_MEDIAN
        and quantile(ours) <= GOAL_P95
        and after <= GOAL_AFTER_STOP
    )


def drag_slowly(page, slider: int, steps: int):
    """Yield the milliseconds to load and to paint of each step, waiting for each answer."""
    x, y, width = grab(page, slider)
    for step in range(1, steps + 1):
        # to the left third and back, at least two of the slider's own steps at a time
        fraction = abs((step * 7) % 100 / 100 - 0.5) * 0.8 + 0.1
        page.mouse.move(x + fraction * width, y)
        # asleep, so that this process and Playwright's take nothing from the two that are timed,
        # and long enough for all that the step sets off
        time.sleep(0.25)
        page.wait_for_function(ANSWERED, timeout=10_000)
        yield page.evaluate("() => [window.probe.loads[0], window.probe.paints[0]]")
    page.mouse.up()
    page.wait_for_timeout(300)


def drag_fast(page, *, steps: int) -> float:
    """Drag our slider without waiting; the milliseconds until the last picture after the stop."""
    x, y, width = grab(page, 0)
    page.evaluate("() => window.frames_loaded = 0")
    page.evaluate(
        """() => document.addEventListener('load', event => {
            if (event.target.tagName === 'IMG') window.frames_loaded += 1; }, true)"""
    )
    for step in range(1, steps + 1):
        page.mouse.move(x + (0.1 + 0.8 * step / steps) * width, y)
    page.wait_for_timeout(1000)
    loads = page.evaluate("() => window.probe.loads")
    frames = page.evaluate("() => window.frames_loaded")
    page.mouse.up()
    shown = page.locator(f"{lab.VISIBLE} .widget-image").first.get_attribute("title")
    weight = page.locator(f"{lab.VISIBLE} .widget-readout").first.inner_text()
    if f"w = {weight} " not in shown:
        raise RuntimeError(f"the slider is at {weight}, the picture says: {shown}")
    after = max(loads, default=0.0)
    print(f"fast drag: {steps} steps, {frames} pictures, the last {after:.0f} ms after the stop")
    return after


def grab(page, slider: int) -> tuple[float, float, float]:
    """Press the mouse on a slider's handle; returns the track's left, middle height and width."""
    handle = page.locator(f"{lab.VISIBLE} .noUi-handle").nth(slider)
    track = handle.locator("xpath=ancestor::*[contains(@class,'noUi-base')]")
    handle.scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    grip, rail = handle.bounding_box(), track.bounding_box()
    y = grip["y"] + grip["height"] / 2
    page.mouse.move(grip["x"] + grip["width"] / 2, y)
    page.mouse.down()
    return rail["x"], y, rail["width"]


def quantile(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]


if __name__ == "__main__":
    sys.exit(main())
