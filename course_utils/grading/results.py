"""Read the grades back: GRADES/results/<learner>/<exercise>.json, one `Result` at a time."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, fields
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from course_utils.grading.grade import QuestionResult, Result
from course_utils.grading.hand_ins import Origin, shown


def result_paths(grades: Path) -> Iterator[Path]:
    """Every stored result below `grades`, sorted; hidden files are parts of one, or strangers."""
    results = grades / "results"
    for learner in sorted(folder.name for folder in results.glob("*")):
        found = (results / learner).glob("*.json")
        yield from sorted(path for path in found if not path.name.startswith("."))


def read_results(
    grades: Path, *, on_fault: Callable[[Path, str], None] = lambda path, fault: None
) -> Iterator[Result]:
    """Each result of the folder `grades`, one in memory at a time, sorted by learner and exercise.

    on_fault: is told of each file that holds no result, or that of a file of another name (a copy
    would count a learner twice), which is then left out.
    Raises OSError if a file cannot be read.
    """
    for path in result_paths(grades):
        try:
            result = read_result(path)
        except ValueError as error:
            on_fault(path, str(error))
            continue
        if (result.learner, result.exercise) == (shown(path.parent.name), shown(path.stem)):
            yield result
        else:
            on_fault(path, f"{path} is a copy of {result.learner}/{result.exercise}. Remove it.")


def read_result(path: Path) -> Result:
    """The result stored at `path`; ValueError if it is half a file, or of another shape."""
    try:
        content = json.loads(path.read_bytes())
        questions = content["questions"]
        content["questions"] = [_filled(QuestionResult, question) for question in questions]
        content["origin"] = _origin(content.get("origin", {}))
        result: Result = _filled(Result, content)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ValueError(f"{path} holds no result: {error}. Grade that hand-in again.") from error
    return result


def _origin(content: Mapping[str, Any]) -> Origin:
    when = content.get("handed_in")
    moment = datetime.fromisoformat(when) if when is not None else None
    origin: Origin = _filled(Origin, {**content, "handed_in": moment})
    return origin


def _filled(kind: Any, content: Mapping[str, Any]) -> Any:
    """An instance of the dataclass `kind`; each field must be there and of its type."""
    types, needed = _shape(kind)
    if strangers := set(content) - set(types):
        raise ValueError(f"{kind.__name__} has no {sorted(strangers)}")
    if missing := needed - set(content):
        raise ValueError(f"{kind.__name__} lacks {sorted(missing)}")
    return kind(**{name: _typed(types[name], value, name) for name, value in content.items()})


@cache
def _shape(kind: Any) -> tuple[dict[str, Any], set[str]]:
    """The type of each field of the dataclass `kind`, and which of them have no default."""
    needed = {f.name for f in fields(kind) if f.default is f.default_factory is MISSING}
    return get_type_hints(kind), needed


def _typed(kind: Any, value: Any, name: str) -> Any:
    """`value` if it is of the type `kind`; a list becomes a tuple."""
    if get_origin(kind) is tuple:
        if not isinstance(value, list | tuple):
            raise ValueError(f"{name} is no list")
        return tuple(_typed(get_args(kind)[0], item, name) for item in value)
    allowed = get_args(kind) or ((float, int) if kind is float else (kind,))
    if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed):
        raise ValueError(f"{name} is {type(value).__name__}")
    return value


def result_json(result: Result) -> str:
    """One result as JSON text, which `read_result` reads back."""
    names = {"learner": shown(result.learner), "exercise": shown(result.exercise)}
    return json.dumps(vars(result) | names, indent=1, ensure_ascii=False, default=_plain) + "\n"


def _plain(part: QuestionResult | Origin | datetime) -> object:
    return part.isoformat() if isinstance(part, datetime) else vars(part)
