"""Deal the variants of a key to the learners: the same one to the same learner in every run."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field, replace
from pathlib import Path

from course_utils.grading.fingerprints import Runner, read_popular
from course_utils.grading.hand_ins import shown
from course_utils.grading.key import Key
from course_utils.grading.values import same_lines
from course_utils.grading.variants.making import (
    hidden_values,
    make_variant,
    seeded,
    varying,
)
from course_utils.grading.variants.secret import dealt, make_secret, read_secret, seed_key
from course_utils.grading.variants.stored import Origin


@dataclass(frozen=True)
class VariedKey(Key):
    """A key that each learner gets one of the variants of. It stays where the secret is.

    missing: how many of the variants are but placeholders, by which nothing was ever graded.
    """

    secret: bytes = field(default=b"", repr=False)
    variants: tuple[Key, ...] = ()
    missing: int = 0

    def of(self, learner: str) -> Key:
        """The variant by which `learner` is graded."""
        return self.variants[dealt(self.secret, self.name, shown(learner), len(self.variants)) - 1]

    @property
    def kept(self) -> list[str]:
        """The slugs of the questions that ask everyone the same; before making, those known to."""
        made = [key for key in self.variants if hidden_sources(key) != hidden_sources(self)]
        varied = varied_slugs(self, made[0]) if made else [q.slug for q in seeded(self.exercise)]
        return [q.slug for q in self.exercise.questions if q.slug not in varied]


def hidden_sources(key: Key) -> dict[str, str]:
    """The source of each hidden check, by slug."""
    return {q.slug: key.exercise.cell(q, "hidden").source for q in key.exercise.questions}


def varied_slugs(key: Key, variant: Key) -> list[str]:
    """The slugs of the questions that have other inputs in `variant` than in `key`."""
    sources = hidden_sources(variant)
    return [slug for slug, source in hidden_sources(key).items() if sources[slug] != source]


def stored_variants(keys: Mapping[str, Key], solutions: Path, count: int) -> dict[str, Key]:
    """The keys with the variants that are made already, and placeholders for those that are not.

    Runs and writes nothing: what a dry run plans by.
    """
    secret = read_secret(solutions) or b""
    varied = dict(keys)
    for name, key in keys.items():
        if not seeded(key.exercise):
            continue
        origin = _origin(solutions, key, secret)
        made = [origin.load(number) for number in range(1, count + 1)]
        numbered = enumerate(made, start=1)
        variants = tuple(each or replace(key, variant=number) for number, each in numbered)
        varied[name] = VariedKey(
            name, key.text, key.fingerprints, 0, secret, variants, made.count(None)
        )
    return varied


def made_variants(
    keys: Mapping[str, Key],
    solutions: Path,
    count: int,
    *,
    executor: Executor,
    run: Runner,
    on_made: Callable[[], object] = lambda: None,
) -> dict[str, Key]:
    """The keys in the folder `solutions` with `count` variants each, made where they are not yet.

    A key none of whose questions can vary stays as it is. Raises VariantError where that many
    cannot be had, ValueError if there is no secret and none can be made.
    """
    secret = make_secret(solutions)
    origins = [_origin(solutions, key, secret) for key in keys.values()]
    makers = [_Maker(origin, count, executor, run) for origin in origins]
    for maker in makers:
        maker.look()
    for maker in makers:
        maker.begin()
    return {maker.origin.key.name: maker.finish(on_made) for maker in makers}


class _Maker:
    """Makes the variants of one key: all at once, then another one for each that repeats values."""

    def __init__(self, origin: Origin, count: int, executor: Executor, run: Runner) -> None:
        self.origin, self.count, self._executor, self._run = origin, count, executor, run
        stored = {number: origin.load(number) for number in range(1, count + 1)}
        self._stored = {number: variant for number, variant in stored.items() if variant}
        self._slugs: list[str] = []
        self._looked: Future[list[str]] | None = None
        self._begun: dict[int, Future[Key]] = {}

    def look(self) -> None:
        """Begin to see which questions vary, unless a variant that is there shows it."""
        key = self.origin.key
        if self._stored:
            self._slugs = varied_slugs(key, next(iter(self._stored.values())))
        elif seeded(key.exercise):
            self._looked = self._executor.submit(varying, key, run=self._run)

    def begin(self) -> None:
        """Begin to make the variants that are not there yet."""
        if self._looked is not None:
            self._slugs = self._looked.result()
        if self._slugs:
            missing = [n for n in range(1, self.count + 1) if n not in self._stored]
            self._begun = {number: self._submit(number, []) for number in missing}

    def finish(self, on_made: Callable[[], object]) -> Key:
        """The key with its variants, each of them stored."""
        key, secret = self.origin.key, self.origin.secret
        if not self._slugs:
            return key
        made: list[Key] = []
        for number in range(1, self.count + 1):
            variant = self._stored.get(number) or self._begun[number].result()
            if any(self._repeats(variant, other) for other in made):
                variant = self._submit(number, made).result()
            if variant is not self._stored.get(number):
                self.origin.store(variant)
            made.append(variant)
            on_made()
        return VariedKey(key.name, key.text, key.fingerprints, 0, secret, tuple(made))

    def _submit(self, number: int, others: Iterable[Key]) -> Future[Key]:
        key = self.origin.key
        return self._executor.submit(
            make_variant,
            key,
            self.origin.answers,
            number,
            seed_key=seed_key(self.origin.secret, key.name, number),
            slugs=self._slugs,
            taken={s: [hidden_values(each, s) for each in (key, *others)] for s in self._slugs},
            run=self._run,
        )

    def _repeats(self, variant: Key, other: Key) -> bool:
        pairs = [(hidden_values(variant, s), hidden_values(other, s)) for s in self._slugs]
        return any(same_lines(one, two) for one, two in pairs)


def _origin(solutions: Path, key: Key, secret: bytes) -> Origin:
    answers = read_popular(solutions / f"{key.name}.toml", key.exercise)
    return Origin(solutions, key, answers, secret)


def variant_lines(keys: Mapping[str, Key]) -> Iterator[str]:
    """Of each exercise: how many variants there are, and which questions ask everyone the same."""
    for name, key in keys.items():
        if not isinstance(key, VariedKey):
            yield f"  variants of {name}: none, the hidden checks draw nothing from a seed"
            continue
        to_make = f", {key.missing} of them to be made" if key.missing else ""
        same = f"; the same inputs for everyone: {', '.join(key.kept)}" if key.kept else ""
        yield f"  variants of {name}: {len(key.variants)}{to_make}{same}"
