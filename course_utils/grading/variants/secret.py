"""The secret beside the key, by which learners are dealt their variants and variants their seeds.

Without it nobody can tell a variant's inputs, even who has read the solutions: so a course whose
solutions are known still has hidden checks. It is never given out, and never sent to a worker.
"""

import contextlib
import hmac
import os
import re
import secrets
from pathlib import Path

FILE = "variants.secret"
SEED_BYTES = 4
_SECRET = re.compile(r"[0-9a-f]{64}")


def secret_path(solutions: Path) -> Path:
    """Where the secret of the key in the folder `solutions` is kept."""
    return solutions / FILE


def read_secret(solutions: Path) -> bytes | None:
    """The secret of the key in `solutions`, or None if none was made yet.

    Raises ValueError if the file holds something else.
    """
    path = secret_path(solutions)
    try:
        text = path.read_text(encoding="utf-8", errors="replace").strip()
    except FileNotFoundError:
        return None
    if not _SECRET.fullmatch(text):
        raise ValueError(
            f"{path} does not hold 64 hexadecimal digits. Bring it back from a backup; "
            "without it, remove it: all learners get other variants."
        )
    return bytes.fromhex(text)


def make_secret(solutions: Path) -> bytes:
    """The secret of the key in `solutions`, made on first use, for its owner alone to read.

    Of two processes that make one at once, both get that of the first.
    Raises ValueError if the folder cannot be written.
    """
    known = read_secret(solutions)
    if known is not None:
        return known
    path = secret_path(solutions)
    part = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(f"{secrets.token_hex(32)}\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(part, path)  # a whole file, and never in the place of another
    except OSError as error:
        raise ValueError(
            f"{path} cannot be made: {error.strerror}. Variants need a secret beside the key: "
            "give the folder write permission."
        ) from error
    finally:
        part.unlink(missing_ok=True)
    made = read_secret(solutions)
    assert made is not None, path
    return made


def dealt(secret: bytes, exercise: str, learner: str, count: int) -> int:
    """Which of the variants 1 to `count` the learner gets in this exercise.

    Every variant bids by a keyed hash, and the highest bid wins: as likely for each, another one
    in each exercise, and one variant more changes nothing for those whom it does not win.
    """
    return max(range(1, count + 1), key=lambda each: _hash(secret, "deal", exercise, learner, each))


def seed_key(secret: bytes, exercise: str, variant: int) -> bytes:
    """What the seeds of one variant are drawn by: it tells nothing of the secret or the others."""
    return _hash(secret, "seeds", exercise, variant)


def drawn_seed(key: bytes, question: str, seed: int, attempt: int) -> int:
    """What the literal `seed` of a hidden check becomes in the `attempt`-th try at a variant.

    key: that of the variant, see ``seed_key``.
    """
    return int.from_bytes(_hash(key, question, seed, attempt)[:SEED_BYTES])


def secret_digest(secret: bytes) -> str:
    """A name of the secret that does not give it away."""
    return _hash(secret, "name").hex()


def _hash(secret: bytes, *parts: str | int) -> bytes:
    return hmac.digest(secret, repr(parts).encode(), "sha256")
