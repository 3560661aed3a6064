"""What each remedy does to each failure, as a table of colours that also reads in grey."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from numpy.typing import ArrayLike

from course_utils.plots.axes import axes_or_new

# Dark is good: cures and helps stand apart in lightness alone; what hurts is orange and bold.
COLOURS: Mapping[str, str] = MappingProxyType(
    {
        "cures": "#0B4F8A",
        "helps": "#9CC7E8",
        "no effect": "#F0F0F0",
        "hurts": "#E69F00",
        "": "#FFFFFF",
    }
)


def plot_verdicts(
    verdicts: Sequence[Sequence[str]],
    accuracies: ArrayLike,
    *,
    remedies: Sequence[str],
    failures: Sequence[str],
    ax: Axes | None = None,
) -> Axes:
    """A remedy on each row, a failure on each column: the verdict's colour, its word, a number.

    verdicts: shape (remedies, failures), words from COLOURS; others, such as "nothing to change",
    are drawn as a dash on white. accuracies: the same shape, 0 to 1, written below the verdict.
    """
    ax = axes_or_new(ax)
    words, numbers = [list(row) for row in verdicts], np.asarray(accuracies, dtype=float)
    names = list(COLOURS)
    codes = [
        [names.index(word) if word in COLOURS else len(names) - 1 for word in row] for row in words
    ]
    colours = ListedColormap(list(COLOURS.values()))
    ax.imshow(codes, cmap=colours, vmin=0, vmax=len(names) - 1, aspect="auto")
    for (row, column), number in np.ndenumerate(numbers):
        _write(words[row][column], float(number), column, row, ax)
    ax.set_xticks(range(len(failures)), [name.replace(" ", "\n", 1) for name in failures])
    ax.set_yticks(range(len(remedies)), remedies)
    ax.xaxis.tick_top()
    ax.set_xticks(np.arange(len(failures) + 1) - 0.5, minor=True)
    ax.set_yticks(np.arange(len(remedies) + 1) - 0.5, minor=True)
    ax.grid(visible=False)
    ax.grid(visible=True, which="minor", color="white", linewidth=2)
    ax.tick_params(which="both", length=0)
    ax.spines[:].set_visible(False)
    return ax


def _write(word: str, number: float, column: int, row: int, ax: Axes) -> None:
    known = word in COLOURS
    text = f"{word}\n{number:.0%}".lstrip() if known else "–"
    colour = "white" if word == "cures" else "black"
    weight = "bold" if word == "hurts" else "normal"
    ax.text(
        column, row, text, ha="center", va="center", color=colour, fontweight=weight, fontsize=9
    )
