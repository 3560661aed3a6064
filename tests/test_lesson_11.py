"""What lesson 11 shows with one seed holds with others: which nets of 50 layers learn."""

import numpy as np
import pytest

from course_utils.datasets import load_digits
from course_utils.layers import Activate, Dense, Residual, Stack, deep_net
from course_utils.training import SGD, train

SEEDS = range(1, 6)
DIGITS = load_digits(standardised=True, dtype="float32")


def trained(scale, *, seed, learning_rate=0.1, steps=40):
    """50 ReLU layers with He's weights: final loss and test accuracy."""
    rng, widths = np.random.default_rng(seed), [64] + [32] * 49 + [10]
    he = {"activation": "relu", "init": "he", "dtype": "float32", "rng": rng}
    net = deep_net(widths, residual_scale=scale, **he)
    options = {"steps": steps, "batch_size": 64, "optimizer": SGD(learning_rate), "rng": rng}
    history = train(net, DIGITS.train, record=[], **options)
    with np.errstate(over="ignore", invalid="ignore"):
        return history.loss, net.accuracy(*DIGITS.test)


@pytest.mark.parametrize("seed", SEEDS)
def test_with_the_same_budget_only_the_scaled_residual_net_learns(seed):
    plain_loss, plain = trained(None, seed=seed)
    residual_loss, residual = trained(48**-0.5, seed=seed)
    assert plain < 0.2
    assert residual > 0.8
    assert plain_loss[-10:].mean() > 2.2
    assert residual_loss[-10:].mean() < 0.7


@pytest.mark.parametrize("seed", SEEDS)
def test_five_times_the_steps_do_not_make_up_for_the_skip(seed):
    loss, accuracy = trained(None, seed=seed, learning_rate=0.01, steps=200)
    assert accuracy < 0.4
    assert loss[-20:].mean() > 1.7


@pytest.mark.parametrize("learning_rate", [1e-4, 1e-2])
def test_a_skip_without_a_scale_explodes_whatever_the_learning_rate(learning_rate):
    loss, _ = trained(1.0, seed=1, learning_rate=learning_rate, steps=20)
    assert loss[0] > 1e5
    assert np.isnan(loss[-1])


@pytest.mark.parametrize("seed", SEEDS)
def test_blocks_that_start_at_zero_are_the_identity_and_learn(seed):
    rng = np.random.default_rng(seed)

    def block():
        first, last = Dense(32, 32, init="he", rng=rng), Dense(32, 32, gain=0.0, rng=rng)
        return Residual([Activate("relu"), first, Activate("relu"), last])

    blocks = [block() for _ in range(25)]
    net = Stack([Dense(64, 32, rng=rng), *blocks, Dense(32, 10, rng=rng)], dtype="float32")
    net.loss_and_gradients(*DIGITS.train.take(slice(64)))
    assert np.ptp(net.signals.hidden.rms()[:-1]) == 0
    assert (net.grad_weights.norms()[1:-1:2] == 0).all()
    assert (net.grad_weights.norms()[2:-1:2] > 0).all()
    train(net, DIGITS.train, steps=50, batch_size=64, optimizer=SGD(0.05), rng=rng, record=[])
    assert net.accuracy(*DIGITS.test) > 0.8


@pytest.mark.parametrize("seed", SEEDS)
def test_batch_norm_in_each_branch_adds_one_a_block(seed):
    rng = np.random.default_rng(seed)
    he = {"activation": "relu", "init": "he", "dtype": "float32", "rng": rng}
    net = deep_net([64] * 51 + [10], norm="batch", residual_scale=1.0, **he)
    net.forward(DIGITS.train.inputs[:128])
    squares = net.signals.hidden.rms()[:-1] ** 2
    assert squares[-1] - squares[0] == pytest.approx(49, abs=7)
