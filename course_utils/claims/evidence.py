"""What the experiments gave: twenty seeds of every claim, kept in course_utils/data/claims.json.

The file is generated (`python -m course_utils.claims write`) and holds four significant digits of
each figure, so that the table and the lessons need not run the experiments again. The tests run
them again and compare.
"""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from course_utils.claims.bands import Band
from course_utils.claims.claim import SEEDS, Claim

STORE = Path(__file__).parents[1] / "data" / "claims.json"
COMMAND = "python -m course_utils.claims write"
DIGITS = 4
REL_TOLERANCE = 0.01  # another BLAS, another order of adding up
CHAOTIC_FACTOR = 10.0  # where that order decides the size itself

Runs = list[dict[str, float]]


def measure(claim: Claim) -> Runs:
    """Run a claim's experiment: the figures of each of SEEDS.

    Raises ValueError if a seed gives other figures than the first.
    """
    with threadpool_limits(limits=1):  # of a small net, two threads make a slower one
        runs = [claim.measure(seed) for seed in SEEDS]
    for seed, figures in zip(SEEDS, runs, strict=True):
        if figures.keys() != runs[0].keys():
            raise ValueError(
                f"{claim.id}.measure must give the figures {sorted(runs[0])}, got "
                f"{sorted(figures)} on seed {seed}. Return the same names on every seed."
            )
    return [{name: float(value) for name, value in figures.items()} for figures in runs]


def stored(claim: Claim, *, path: Path | None = None) -> Runs:
    """The kept figures of each of SEEDS.

    Raises ValueError, with the command that makes them, if there are none.
    """
    kept = _read(path or STORE).get(claim.id)
    if kept is None:
        raise ValueError(f"No evidence is stored for {claim.id}. Run `{COMMAND}` once.")
    return [dict(run) for run in kept]  # the caller's own: the cache stays as it is


def write(claims: Iterable[Claim], *, path: Path | None = None) -> None:
    """Measure these claims and keep their figures, beside those of the others; all or nothing."""
    path = path or STORE
    everything = dict(_read(path)) | {claim.id: measure(claim) for claim in claims}
    columns = {
        claim_id: {name: [_packed(run[name]) for run in runs] for name in runs[0]}
        for claim_id, runs in sorted(everything.items())
    }
    _write_whole(path, _as_text(columns))
    forget()


def forget() -> None:
    """Read the file anew at the next question: after it was changed from elsewhere."""
    _read.cache_clear()


def disagreements(claim: Claim, fresh: Runs, kept: Runs) -> Iterator[str]:
    """Yield where fresh figures are not the kept ones, one line a figure and seed."""
    if fresh[0].keys() != kept[0].keys():
        yield f"{claim.id} gives {sorted(fresh[0])}, stored are {sorted(kept[0])}: run {COMMAND}"
        return
    for name in fresh[0]:
        column = Band.of(run[name] for run in kept)
        for seed, new, old in zip(SEEDS, fresh, kept, strict=True):
            alike = (
                _within_a_factor(new[name], column)
                if name in claim.chaotic
                else _same(new[name], old[name])
            )
            if not alike:
                yield (
                    f"{claim.id} {name}, seed {seed}: {new[name]:.4g}, stored is "
                    f"{old[name]:.4g}: run {COMMAND}"
                )


def _same(new: float, old: float) -> bool:
    return (math.isnan(new) and math.isnan(old)) or math.isclose(new, old, rel_tol=REL_TOLERANCE)


def _within_a_factor(new: float, column: Band) -> bool:
    if not math.isfinite(new):  # whether the end is inf or NaN is up to the order of adding up
        return column.nan > 0 or not (math.isfinite(column.low) and math.isfinite(column.high))
    ends = sorted(
        bound * factor
        for bound in (column.low, column.high)
        for factor in (CHAOTIC_FACTOR, 1 / CHAOTIC_FACTOR)
    )
    return ends[0] <= new <= ends[-1]


def _packed(value: float) -> float | int | str:
    """Four digits; JSON knows neither inf nor NaN, so they are kept as words."""
    rounded = float(f"{value:.{DIGITS - 1}e}")
    if not math.isfinite(rounded):  # the largest floats are rounded up to inf
        return str(value)
    return int(rounded) if rounded.is_integer() and abs(rounded) < 1e15 else rounded


@cache
def _read(path: Path) -> Mapping[str, Runs]:
    if not path.is_file():
        return {}
    try:
        columns = json.loads(path.read_text(encoding="utf-8"))
        return {
            claim_id: [
                dict(zip(figures, map(float, row), strict=True))
                for row in zip(*figures.values(), strict=True)
            ]
            for claim_id, figures in columns.items()
        }
    except (ValueError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{path.name} is not readable evidence: {error}. Delete it and run `{COMMAND}`."
        ) from error


def _as_text(columns: Mapping[str, Mapping[str, list[float | int | str]]]) -> str:
    """JSON with one line a figure, so that a change of it reads well in git."""
    claims = [
        f" {json.dumps(claim_id)}: {{\n"
        + ",\n".join(f"  {json.dumps(name)}: {json.dumps(row)}" for name, row in figures.items())
        + "\n }"
        for claim_id, figures in columns.items()
    ]
    return "{\n" + ",\n".join(claims) + "\n}\n"


def _write_whole(path: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
