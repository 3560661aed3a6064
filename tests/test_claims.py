"""How a sentence becomes a verdict: the laws, and every claim again on all its seeds."""

import functools
import json
import math
import random
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils import claims
from course_utils.claims import (
    CLAIMS,
    SEEDS,
    SUMMARY,
    Claim,
    Part,
    Verdict,
    bands,
    chain,
    evidence,
    registry,
)
from course_utils.claims import claim as rules
from course_utils.network import MLP

answers = st.lists(st.booleans(), min_size=1, max_size=5)


def a_claim(claimed, asked=(), **settings):
    """A claim whose part number i is true on a run where figure i is above 0."""
    parts = [(True, truth) for truth in claimed] + [(False, truth) for truth in asked]
    return Claim(
        id=settings.pop("id", "V1"),
        measure=lambda seed: figures([truth for _, truth in parts]),
        parts=tuple(
            Part(f"p{i}", f"figure {i} is positive", functools.partial(positive, i), of_claim, True)
            for i, (of_claim, _) in enumerate(parts)
        ),
        **{"evidence": "", "instead": "", "lesson": "04_vanishing", "cell": "04-x-y"} | settings,
    )


def positive(i, run):
    return run[f"f{i}"] > 0


def figures(truths):
    return {f"f{i}": 1.0 if truth else -1.0 for i, truth in enumerate(truths)}


@given(answers, st.lists(st.booleans(), max_size=3))
def test_only_the_claimed_parts_decide(claimed, asked):
    runs = [figures([*claimed, *asked])] * 3
    expected = {(True,): Verdict.HOLDS, (False,): Verdict.FALSE}
    wanted = expected.get(tuple(set(claimed)), Verdict.IN_PART)
    assert claims.verdict(a_claim(claimed, asked), runs) is wanted


@given(answers, st.lists(st.booleans(), max_size=3), st.data())
def test_a_part_that_flips_on_one_seed_leaves_the_claim_undecided(claimed, asked, data):
    truths = [*claimed, *asked]
    runs = [figures(truths) for _ in SEEDS]
    part = data.draw(st.integers(0, len(truths) - 1))
    seed = data.draw(st.sampled_from(SEEDS))
    runs[seed][f"f{part}"] *= -1
    claim = a_claim(claimed, asked)
    assert rules.settled(claim.parts[part], runs) is None
    assert claims.verdict(claim, runs) is Verdict.UNDECIDED


def test_a_figure_that_is_nan_makes_no_comparison_true():
    assert claims.verdict(a_claim([True]), [{"f0": math.nan}]) is Verdict.FALSE


def test_no_seed_is_no_verdict():
    with pytest.raises(ValueError, match=r"at least one seed, got none\. Measure one"):
        claims.verdict(a_claim([True]), [])


def test_a_claim_that_could_not_be_decided_is_refused():
    with pytest.raises(ValueError, match=r"must name a sentence .* got 'X9'"):
        a_claim([True], id="X9")
    with pytest.raises(ValueError, match=r"must have a part that the summary claims"):
        a_claim([], [True])


numbers = st.floats(width=64)


@given(st.lists(numbers, min_size=1))
def test_a_band_reaches_from_the_least_to_the_greatest_number(values):
    band, ordered = bands.Band.of(values), sorted(v for v in values if not math.isnan(v))
    ends = (ordered[0], ordered[-1]) if ordered else (math.nan, math.nan)
    assert repr((band.low, band.high)) == repr(ends) or (band.low, band.high) == ends
    assert (band.nan, band.count) == (len(values) - len(ordered), len(values))


def test_a_band_prints_both_ends_in_one_format():
    band = bands.Band.of([0.125, 0.5])
    assert f"{band}" == "0.12 to 0.5"
    assert f"{band:.1%}" == "12.5% to 50.0%"
    assert f"{bands.Band.of([2.31, 2.32]):.1f}" == "2.3"
    assert f"{bands.Band.of([1.0, math.inf])}" == "1 to inf"
    assert f"{bands.Band.of([1.0, math.nan])}" == "1 (NaN on 1 of 2)"
    assert f"{bands.Band.of([math.nan])}" == "NaN"


# ------------------------------------------------------------------ the stored evidence


@given(st.lists(numbers, min_size=20, max_size=20))
def test_what_is_written_is_read_again_to_four_digits(tmp_path_factory, values):
    path = tmp_path_factory.mktemp("evidence") / "claims.json"
    claim = a_claim([True])
    object.__setattr__(claim, "measure", lambda seed: {"f0": values[seed]})
    evidence.write([claim], path=path)
    for run, value in zip(evidence.stored(claim, path=path), values, strict=True):
        kept = run["f0"]
        assert (math.isnan(kept) and math.isnan(value)) or math.isclose(
            kept, value, rel_tol=6e-4, abs_tol=1e-323
        )


def test_writing_one_claim_keeps_the_others_and_the_same_bytes(tmp_path):
    path = tmp_path / "claims.json"
    first, second = a_claim([True]), a_claim([False], id="V2")
    evidence.write([second], path=path)
    evidence.write([first], path=path)
    before = path.read_bytes()
    assert list(json.loads(before)) == ["V1", "V2"]
    assert evidence.stored(first, path=path) == [{"f0": 1.0}] * len(SEEDS)
    evidence.write([first, second], path=path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_an_experiment_that_fails_leaves_the_evidence_as_it_was(tmp_path):
    path = tmp_path / "claims.json"
    evidence.write([a_claim([True])], path=path)
    before = path.read_bytes()
    broken = a_claim([True])
    object.__setattr__(broken, "measure", lambda seed: {"f0": 1.0} if seed < 9 else {"g": 1.0})
    with pytest.raises(ValueError, match=r"must give the figures \['f0'\], got \['g'\] on seed 9"):
        evidence.write([broken], path=path)
    assert path.read_bytes() == before


def test_missing_and_damaged_evidence_name_the_command(tmp_path):
    path = tmp_path / "claims.json"
    with pytest.raises(ValueError, match=r"No evidence is stored for V1\. Run `python -m course"):
        evidence.stored(a_claim([True]), path=path)
    for text in ("", "{", "[]", '{"V1": {"f0": [1], "f1": [1, 2]}}', '{"V1": {"f0": ["x"]}}'):
        path.write_text(text, encoding="utf-8")
        evidence.forget()
        with pytest.raises(ValueError, match="Delete it and run `python -m course") as caught:
            evidence.stored(a_claim([True]), path=path)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("new", "old", "chaotic", "alike"),
    [
        (1.004, 1.0, False, True),
        (1.02, 1.0, False, False),
        (math.inf, math.inf, False, True),
        (math.inf, math.nan, False, False),
        (math.nan, math.nan, False, True),
        (math.nan, 1.0, False, False),
        (0.0, 1e-300, False, False),
        (9.0, 1.0, True, True),
        (11.0, 1.0, True, False),
        (math.inf, 1.0, True, False),
        (math.inf, math.nan, True, True),
        (-3.0, -1.0, True, True),
        (1.0, -1.0, True, False),
    ],
)
def test_stale_evidence_is_told(new, old, chaotic, alike):
    claim = a_claim([True], chaotic=frozenset({"f0"} if chaotic else ()))
    fresh, kept = ([{"f0": value}] * len(SEEDS) for value in (new, old))
    told = list(evidence.disagreements(claim, fresh, kept))
    assert (told == []) is alike
    assert all("run python -m course_utils.claims write" in line for line in told)


def test_other_figures_than_the_stored_ones_are_told():
    fresh, kept = [{"f0": 1.0}] * len(SEEDS), [{"g": 1.0}] * len(SEEDS)
    assert "stored are ['g']" in next(evidence.disagreements(a_claim([True]), fresh, kept))


# ------------------------------------------------------------------ every claim, on every seed


@functools.cache
def measured(claim):
    return evidence.measure(claim)


every_claim = pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)


@every_claim
def test_every_part_is_what_it_is_expected_to_be_on_every_seed(claim):
    found = {part.name: rules.settled(part, measured(claim)) for part in claim.parts}
    assert found == {part.name: part.expected for part in claim.parts}


@every_claim
def test_the_stored_evidence_is_what_the_experiment_gives(claim):
    kept = evidence.stored(claim)
    assert len(kept) == len(SEEDS) >= 20
    assert list(evidence.disagreements(claim, measured(claim), kept)) == []
    assert claims.verdict(claim, kept) is claims.verdict(claim, measured(claim))


def test_every_sentence_is_decided():
    assert [claim.id for claim in CLAIMS] == list(SUMMARY)


@every_claim
def test_every_part_can_come_out_either_way(claim):
    """A part that no figures could make false (or true) would test nothing."""
    rng, names = random.Random(0), list(measured(claim)[0])
    own = [value for run in measured(claim)[:3] for value in run.values()]
    pool = [0.0, 1e-30, 0.5, 0.999, 1.0, 2.0, 3.0, 1e3, 1e30, math.inf, math.nan, *own]
    draws = [{name: rng.choice(pool) for name in names} for _ in range(3000)]
    for part in claim.parts:
        assert {bool(part.test(draw)) for draw in draws} == {True, False}, part.name


@every_claim
def test_a_claim_shows_only_figures_that_it_measures(claim):
    ranges = bands.bands(measured(claim))
    assert claim.shown | claim.chaotic <= ranges.keys()
    assert claim.evidence.format_map(ranges) != claim.evidence, "no figure in the evidence"
    assert len({part.name for part in claim.parts}) == len(claim.parts)


def parts_that_changed(claim, seed=0):
    figures = claim.measure(seed)
    return {part.name for part in claim.parts if bool(part.test(figures)) is not part.expected}


def test_without_their_effect_the_experiments_of_c1_to_c3_turn_red(monkeypatch):
    c1, c2, c3 = map(claims.by_id, ("C1", "C2", "C3"))
    with monkeypatch.context() as patch:
        patch.setattr(chain, "_NON_NORMAL", chain.np.diag([4.06, 0.5]))
        assert parts_that_changed(c1) == {"stretching_matrix_explodes"}
    with monkeypatch.context() as patch:
        patch.setattr(chain, "vjp", lambda jacobians, g: [g])
        assert "is_the_product" in parts_that_changed(c1)
    with monkeypatch.context() as patch:
        patch.setattr(chain, "_log10_sizes", lambda draws, rng: chain.np.full(draws, 30.0))
        assert parts_that_changed(c2) == {"typical_is_below_the_rms"}
    with monkeypatch.context() as patch:
        patch.setattr(chain, "MLP", healthy_net)
        patch.setattr(chain, "_exploding_descent", lambda start: (math.nan, math.nan))
        assert parts_that_changed(c3) == {
            *("explosion_ends_in_nan", "inf_comes_first"),
            *("vanishing_ends_in_zero", "learning_stops_at_15"),
        }


def healthy_net(widths, **settings):
    """In place of any network: three tanh layers, drawn the Xavier way."""
    sound = {"activation": "tanh", "init": "xavier", "gain": 1.0, "bias_std": 0.0}
    return MLP([widths[0], 32, 32, widths[-1]], **settings | sound)


@pytest.fixture
def no_memory():
    """Experiments that remember no run of the network that is about to be replaced."""

    def forget():
        for name in {claim.measure.__module__ for claim in CLAIMS}:
            for value in vars(sys.modules[name]).values():
                getattr(value, "cache_clear", lambda: None)()

    forget()
    yield
    forget()


@pytest.mark.usefixtures("no_memory")
@pytest.mark.parametrize(
    "claim", [claim for claim in CLAIMS if claim.id[0] != "C"], ids=lambda claim: claim.id
)
def test_with_a_healthy_network_instead_a_claim_of_training_turns_red(claim, monkeypatch):
    monkeypatch.setattr(sys.modules[claim.measure.__module__], "MLP", healthy_net)
    assert parts_that_changed(claim)


# ------------------------------------------------------------------ the cell that decides


@every_claim
@pytest.mark.parametrize("seed", [SEEDS[0], SEEDS[-1]])
def test_a_run_like_the_seeds_is_accepted_and_told(claim, seed, capsys):
    claims.decide(claim.id, **evidence.stored(claim)[seed])
    told = capsys.readouterr().out
    assert f"{claim.id}. The summary says: “" in told
    assert f"Verdict: {claims.verdict(claim, evidence.stored(claim))}" in told
    flat = " ".join(told.split())
    assert all(f"{str(part.expected).lower()} {part.sentence}" in flat for part in claim.parts)
    assert max(map(len, told.splitlines())) <= 92


@every_claim
def test_a_run_that_decides_a_part_otherwise_is_refused(claim):
    run = dict(evidence.stored(claim)[0])
    rng = random.Random(1)
    others = [0.0, 1e-30, 0.5, 1.0, 2.0, 1e3, 1e30, math.nan, *run.values()]
    draws = [
        run | {name: rng.choice(others) for name in rng.sample(list(run), rng.randint(1, len(run)))}
        for _ in range(20_000)
    ]
    for part in claim.parts:
        flipped = next(draw for draw in draws if bool(part.test(draw)) is not part.expected)
        with pytest.raises(AssertionError, match=f"{claim.id}: “.*in this run"):
            claims.decide(claim.id, **flipped)


def test_decide_wants_exactly_the_figures_of_the_claim():
    run = evidence.stored(claims.by_id("C2"))[0]
    with pytest.raises(ValueError, match=r"decide\('C2'\) has no figure 'loss'\. Pass exactly ab"):
        claims.decide("C2", **run, loss=1.0)
    del run["matrix_rms"]
    with pytest.raises(ValueError, match=r"decide\('C2'\) is missing matrix_rms\. Pass exactly"):
        claims.decide("C2", **run)


def test_an_unknown_or_undecided_claim_gets_one_line(monkeypatch):
    with pytest.raises(ValueError, match=r"got 'Z1'\. Choose from C1, C2"):
        claims.decide("Z1")
    monkeypatch.delitem(registry._BY_ID, "R3")
    with pytest.raises(ValueError, match="No experiment decides R3 yet, only C1"):
        claims.decide("R3")


def test_a_run_is_told_beside_the_seeds(monkeypatch, capsys):
    """One number where they print alike, no digits of a run where the machine decides them."""
    claim = a_claim(
        [True],
        [True, True],
        evidence=f"alike {{f0:.0f}}, apart {{f1:.1e}}, chaotic {{f2:.1e}} {'left-hand ' * 12}",
        instead="at {f1:.0e}",
        chaotic=frozenset({"f2"}),
    )
    runs = [{"f0": 3.0, "f1": 1e-9 * (1 + seed), "f2": 1.0 + seed} for seed in SEEDS]
    monkeypatch.setattr("course_utils.claims.deciding.by_id", lambda claim_id: claim)
    monkeypatch.setattr("course_utils.claims.deciding.stored", lambda claim: runs)
    claims.decide("V1", f0=3.1, f1=5e-9, f2=7.0)
    told = capsys.readouterr().out
    assert "Verdict: holds. at 1e-09 to 2e-08\n" in told
    figures = "alike 3, apart 5.0e-09 (1.0e-09 to 2.0e-08), chaotic 1.0e+00 to 2.0e+01"
    assert figures in " ".join(told.split())
    assert "left-\n" not in told


def test_seeds_that_disagree_are_no_ground_to_decide_on(monkeypatch):
    claim = claims.by_id("C2")
    runs = [dict(run) for run in evidence.stored(claim)]
    runs[7]["below_one"] = 1.0
    monkeypatch.setattr("course_utils.claims.deciding.stored", lambda claim: runs)
    with pytest.raises(AssertionError, match="the seeds disagree whether 100 links of"):
        claims.decide("C2", **runs[0])
