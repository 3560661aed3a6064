"""The tables that a learner sees, all of it from the kept runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from course_utils.remedies.catalogue import FAILURES, REMEDIES, Remedy, failure, remedy
from course_utils.remedies.evidence import NONE, outcome
from course_utils.remedies.judging import Outcome, Verdict

HEADINGS = (
    *("remedy", "cures", "helps", "no effect on", "hurts"),
    *("use it when", "its price", "it worked if", "lesson"),
)
_EFFECTS = (Verdict.CURES, Verdict.HELPS, Verdict.NO_EFFECT, Verdict.HURTS)


class Table:
    """Headings and rows of words: a Markdown table in Jupyter, plain lines elsewhere."""

    def __init__(self, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Take the words as they are; rows: one word for each heading."""
        self.headings, self.rows = tuple(headings), [tuple(row) for row in rows]

    def _repr_markdown_(self) -> str:
        lines = [self.headings, ("---",) * len(self.headings), *map(self._marked, self.rows)]
        return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)

    def __repr__(self) -> str:
        """One line a row, then each word below its heading."""
        return "\n".join(line for row in self.rows for line in self._lines(row))

    def _lines(self, row: tuple[str, ...]) -> Iterator[str]:
        yield row[0]
        named = zip(self.headings[1:], row[1:], strict=True)
        yield from (f"   {heading}: {word}" for heading, word in named if word)

    @staticmethod
    def _marked(row: tuple[str, ...]) -> tuple[str, ...]:
        return (f"**{row[0]}**", *row[1:])


def remedy_table(*remedies: str) -> Table:
    """What each remedy cures, what it does not, where it hurts, when to use it; all without any.

    remedies: ids from REMEDIES, e.g. remedy_table("clip_norm", "careful_init"). In brackets stands
    the median final test accuracy without and with the remedy.
    Raises ValueError for an unknown id, or if the runs are missing.
    """
    return Table(HEADINGS, [_advice(remedy(id_)) for id_ in _chosen(remedies)])


def outcome_table(*remedies: str) -> Table:
    """Remedies × failures: verdict, median and band of the final test accuracy over the seeds.

    remedies: ids from REMEDIES; all without any. Raises ValueError as remedy_table does.
    """
    titles = [broken.title for broken in FAILURES.values()]
    rows = [
        [remedy(id_).title, *(_cell(outcome(broken, id_)) for broken in FAILURES)]
        for id_ in (NONE, *_chosen(remedies))
    ]
    return Table(("remedy", *titles), rows)


def verdict_grid(*remedies: str) -> tuple[list[str], list[str], list[list[str]], list[list[float]]]:
    """What plots.plot_verdicts takes: remedies' and failures' titles, verdicts, median accuracies.

    The first row is that without a remedy. remedies: ids from REMEDIES; all without any.
    """
    ids = (NONE, *_chosen(remedies))
    cells = [[outcome(broken, id_) for broken in FAILURES] for id_ in ids]
    return (
        [remedy(id_).title for id_ in ids],
        [broken.title for broken in FAILURES.values()],
        [[_in_a_word(cell) for cell in row] for row in cells],
        [[cell.median for cell in row] for row in cells],
    )


def _chosen(ids: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(remedy(id_).id for id_ in ids) or tuple(id_ for id_ in REMEDIES if id_ != NONE)


def _advice(change: Remedy) -> tuple[str, ...]:
    cells = [outcome(broken, change.id) for broken in FAILURES]
    effects = [
        "; ".join(_change(cell) for cell in cells if cell.verdict is effect) for effect in _EFFECTS
    ]
    number, _, _ = change.lesson.partition("_")
    link = f"[lesson\u00a0{number}]({change.lesson}.ipynb)" if number else ""
    return (change.title, *effects, change.when, change.price, change.seen, link)


def _change(cell: Outcome) -> str:
    before = np.median([run.accuracy for run in cell.without])
    return f"{failure(cell.failure).title} ({before:.0%} → {cell.median:.0%})"


def _cell(cell: Outcome) -> str:
    low, high = cell.band
    numbers = f"{cell.median:.0%} ({low:.0%} to {high:.0%})"
    lost = f"; NaN on {1 - cell.finite:.0%} of seeds" if cell.finite < 1 else ""
    if cell.verdict is Verdict.NOTHING:
        return "nothing to change"
    return f"{numbers}{lost}" if cell.remedy == NONE else f"{cell.verdict}: {numbers}{lost}"


def _in_a_word(cell: Outcome) -> str:
    return "" if cell.remedy == NONE else str(cell.verdict)
