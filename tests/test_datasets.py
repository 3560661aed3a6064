"""The digits: whole, unaltered, offline, and split the same way everywhere."""

import hashlib
import socket
from importlib.resources import files

import numpy as np
import pytest

from course_utils.datasets import N_CLASSES, load_digits

FILE = files("course_utils") / "data" / "digits.npz"
SHA256 = "82393b63ff69dea89fa95eeef924870ebc186df1f35d7c46a617cb6112d8f2bc"


def test_the_file_is_the_one_that_its_readme_describes():
    assert hashlib.sha256(FILE.read_bytes()).hexdigest() == SHA256
    readme = (files("course_utils") / "data" / "README.md").read_text("utf-8")
    for fact in (SHA256, "CC BY 4.0", "10.24432/C50P49", "Alpaydin", f"{len(FILE.read_bytes()):,}"):
        assert fact in readme


def test_every_image_and_label_of_the_source_is_there():
    with FILE.open("rb") as file, np.load(file) as data:
        pixels, labels = data["pixels"], data["labels"]
    assert pixels.shape == (1797, 8, 8)
    assert (pixels.min(), pixels.max()) == (0, 16)
    # Counts of each digit as the source's description gives them.
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    # The first image, as printed in the data set's own documentation.
    assert pixels[0, 0].tolist() == [0, 0, 5, 13, 9, 1, 0, 0]


def test_no_network_is_touched(monkeypatch):
    def refuse(*_args, **_kwargs):
        raise AssertionError("load_digits opened a socket")

    monkeypatch.setattr(socket, "socket", refuse)
    load_digits()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("standardised", [False, True])
def test_shapes_types_and_ranges(dtype, standardised):
    train, test = load_digits(dtype=dtype, standardised=standardised)
    assert train.inputs.shape == (1500, 64)
    assert test.inputs.shape == (297, 64)
    assert train.inputs.dtype == test.inputs.dtype == dtype
    assert train.labels.dtype == np.int64
    assert set(train.labels) == set(test.labels) == set(range(N_CLASSES))
    if standardised:
        np.testing.assert_allclose(train.inputs.mean(axis=0), 0, atol=1e-6)
        assert np.mean(train.inputs.astype(float) ** 2) == pytest.approx(1, rel=1e-6)
    else:
        assert (train.inputs.min(), train.inputs.max()) == (0, 1)


def test_a_split_is_a_rearrangement_and_the_seed_decides_it():
    def everything(digits):
        inputs = np.concatenate([digits.train.inputs, digits.test.inputs])
        return np.column_stack([inputs, np.concatenate([digits.train.labels, digits.test.labels])])

    first, again, other = (everything(load_digits(seed=seed)) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    as_rows = [sorted(map(tuple, rows)) for rows in (first, other)]
    assert as_rows[0] == as_rows[1]


def test_pixels_without_ink_stay_exactly_zero():
    plain, standardised = load_digits().train.inputs, load_digits(standardised=True).train.inputs
    blank = (plain == 0).all(axis=0)
    assert blank.sum() >= 3
    assert (standardised[:, blank] == 0).all()


def test_what_is_loaded_may_be_changed_without_harm():
    load_digits().train.inputs[...] = -1
    assert load_digits().train.inputs.min() == 0


def test_examples_can_be_taken_by_rows():
    few = load_digits().train.take(slice(5))
    assert few.inputs.shape == (5, 64)
    assert few.labels.shape == (5,)


def test_only_the_engines_dtypes_are_offered():
    with pytest.raises(ValueError, match=r"^dtype must be float32 or float64, got float16\."):
        load_digits(dtype=np.float16)
