"""Lesson 01's explorer: the gradient along a chain of equal links."""

import numpy as np

from course_utils import plots
from course_utils.chain_rule import log10_partial_products
from course_utils.explorers.base import Explorer, slider, whole_slider
from course_utils.figures import new_figure

MOST_LINKS = 100
# from 0.2**100 to 2.0**100
DECADES = (-74.0, 34.0)
FLOAT32_SMALLEST = float(np.log10(np.finfo(np.float32).smallest_subnormal))


def chain_explorer(*, weight: float = 0.9, links: int = 30) -> Explorer:
    """Two sliders, the weight of every link and their number, over the gradient at each layer.

    weight: ∂h⁽ˡ⁺¹⁾/∂h⁽ˡ⁾ of every link at the start, 0.2 to 2. links: at the start, 1 to 100.
    """
    figure, ax = new_figure(height=3.6)
    ax.set(xlim=(0, MOST_LINKS), ylim=DECADES)
    ax.axhline(0, color="#595959", linewidth=1)
    plots.mark_level(FLOAT32_SMALLEST, label="below this line float32 holds only 0", ax=ax)
    line = plots.plot_gradient_by_layer(np.zeros(2), style=".-", ax=ax).lines[-1]
    (first,) = ax.plot([0], [0], "o", color=line.get_color(), markersize=8, clip_on=False)
    ax.set_title("Gradient at each layer of the chain, counted from the input")

    def update(weight: float, links: int) -> str:
        decades = log10_partial_products(np.full(links, weight))
        line.set_data(np.arange(links + 1), decades)
        first.set_data([0], decades[:1])
        return (
            f"With w = {weight:.2f} and L = {links} the gradient at the first layer is "
            f"w^L = {in_decimals(decades[0])}: {verdict(decades[0])}."
        )

    return Explorer(
        controls={
            "weight": slider("weight of a link, w", low=0.2, high=2.0, start=weight, step=0.01),
            "links": whole_slider("number of links, L", low=1, high=MOST_LINKS, start=links),
        },
        figure=figure,
        moving=[line, first],
        update=update,
        without_kernel=(
            "Explorer: two sliders, the weight w and the number of links L, over the gradient at "
            "each layer. Run this cell to move them."
        ),
    )


def in_decimals(decades: float) -> str:
    """10**decades in scientific notation, also where a float could not hold it."""
    exponent = int(np.floor(decades + 1e-12))
    mantissa = min(10 ** (decades - exponent), 9.99)
    return f"{mantissa:.3g}" if exponent == 0 else f"{mantissa:.2f}e{exponent:+03d}"


def verdict(decades: float) -> str:
    """What a gradient of 10**decades has become on its way from the output, where it was 1."""
    if abs(decades) < 0.5:
        return "it arrives about as large as it left"
    change = f"{abs(decades):.1f} powers of ten"
    return f"it shrank by {change}" if decades < 0 else f"it grew by {change}"
