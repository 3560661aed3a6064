"""Variants that are made already, beside the key: SOLUTIONS/.variants/<exercise>/<number>.json.

One stands as long as all that it was made from is the same: the key and its popular answers, the
secret and the grader. Each file is whole or not there, so a stopped command goes on with the rest.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from course_utils.grading.files import write_atomically
from course_utils.grading.fingerprints import Fingerprint, PopularAnswer, digest
from course_utils.grading.key import Key
from course_utils.grading.variants.secret import secret_digest
from course_utils.grading.version import grader_version

FOLDER = ".variants"


@dataclass(frozen=True)
class Origin:
    """What the variants of `key` are made from, and the folder where they are kept."""

    folder: Path
    key: Key
    answers: Sequence[PopularAnswer]
    secret: bytes

    def path(self, number: int) -> Path:
        """Where the variant `number` is kept."""
        return self.folder / FOLDER / self.key.name / f"{number}.json"

    def made_from(self, number: int) -> str:
        """A hash of all that decides what the variant `number` is."""
        source = digest(self.key.exercise, self.answers)
        parts = [self.key.sha256, source, secret_digest(self.secret), grader_version(), number]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    def load(self, number: int) -> Key | None:
        """The variant `number`, or None if there is none, or that of another origin, or half."""
        try:
            content = json.loads(self.path(number).read_bytes())
            marks = [Fingerprint(**m | {"values": tuple(m["values"])}) for m in content["marks"]]
            key = Key(self.key.name, content["text"], tuple(marks), number)
            whole = (content["made_from"], content["sha256"]) == (
                self.made_from(number),
                key.sha256,
            )
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None
        return key if whole else None

    def store(self, variant: Key) -> None:
        """Keep `variant` for later, where its owner alone can read it."""
        (self.folder / FOLDER).mkdir(mode=0o700, exist_ok=True)
        content = {
            "made_from": self.made_from(variant.variant),
            "sha256": variant.sha256,
            "text": variant.text,
            "marks": [asdict(mark) for mark in variant.fingerprints],
        }
        write_atomically(self.path(variant.variant), json.dumps(content, ensure_ascii=False))
