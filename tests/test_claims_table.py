"""The claim table and its command: every sentence, its verdict, and a link that leads there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from course_utils import claims, notebooks
from course_utils.claims import CLAIMS, SUMMARY, evidence, registry, table
from course_utils.claims.__main__ import main

LESSONS = Path(__file__).parents[1] / "notebooks"


def rows_of(markdown):
    """The cells of each row, split where an unescaped bar stands."""
    return [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in markdown.splitlines()
    ]


def test_the_whole_table_has_a_row_for_every_sentence_in_its_order():
    heading, rule, *rows = rows_of(claims.claim_table()._repr_markdown_())
    assert [row[0].strip("*") for row in rows] == list(SUMMARY)
    assert {len(row) for row in (heading, rule, *rows)} == {len(table.HEADINGS)}


def test_each_row_says_what_the_stored_evidence_makes_of_it():
    rows = rows_of(claims.claim_table()._repr_markdown_())[2:]
    decided = {claim.id: claim for claim in CLAIMS}
    for name, _, told, shown, link in rows:
        claim = decided.get(name.strip("*"))
        if claim is None:
            assert (told, shown, link) == ("*not decided yet*", "", "")
        else:
            found = claims.verdict(claim, evidence.stored(claim))
            assert told.startswith(f"**{found}.**")
            assert re.search(r"\d", shown), "evidence without a number"
            assert link == table.link_to(claim)


def test_the_table_follows_the_evidence(monkeypatch):
    claim = claims.by_id("C2")
    other = [run | {"below_one": 7.0} for run in evidence.stored(claim)]
    monkeypatch.setattr(table, "stored", lambda claim: other)
    row = rows_of(claims.claim_table("C2")._repr_markdown_())[2]
    assert row[2].startswith("**holds in part.**")
    assert "0.9\\^100 = 7.0·10⁰" in row[3]


def test_a_sentence_without_an_experiment_says_so(monkeypatch):
    monkeypatch.setattr(table, "CLAIMS", ())
    assert repr(claims.claim_table("V1")) == f"V1 “{SUMMARY['V1']}”: not decided yet"
    assert rows_of(claims.claim_table("V1")._repr_markdown_())[2][2:] == [
        "*not decided yet*",
        "",
        "",
    ]


def test_no_text_breaks_out_of_its_cell():
    told = table._in_a_cell("<b>a|b</b> [x](y) $2^n$ _i_ `c` *d* \\")
    assert "<" not in told
    assert len(rows_of(f"| {told} |")[0]) == 1
    assert not re.search(r"(?<!\\)[\[$^_`*]", told)


def test_powers_of_ten_are_raised():
    assert table._in_a_cell("4e-16, 3.0e+36 and 1e5 files") == "4·10⁻¹⁶, 3.0·10³⁶ and 1e5 files"


def test_plain_text_tells_the_same():
    whole = repr(claims.claim_table())
    assert all(f"{id_} “{says}”: " in whole for id_, says in SUMMARY.items())
    assert repr(claims.claim_table("C3", "C1")).index("C1 “") > 0


def test_only_sentences_of_the_summary_are_asked_for():
    with pytest.raises(ValueError, match=r"must name sentences of the summary, got 'V9'\. Choose"):
        claims.claim_table("C1", "V9")


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_the_link_leads_to_the_one_cell_that_decides(claim):
    deciding = [
        (path.stem, cell.id)
        for path in sorted(LESSONS.glob("*.ipynb"))
        for cell in notebooks.read(path).cells
        if cell.cell_type == "code" and re.search(rf'\bdecide\(\s*"{claim.id}"', cell.source)
    ]
    assert deciding == [(claim.lesson, claim.cell)]
    assert table.link_to(claim).endswith(f"({claim.lesson}.ipynb#cell-id={claim.cell})")


def test_each_claim_stands_in_the_registry_once_and_in_order():
    ids = [claim.id for module in registry._MODULES for claim in module.CLAIMS]
    assert len(ids) == len(set(ids)) == len(CLAIMS)
    assert [claim.id for claim in CLAIMS] == [id_ for id_ in SUMMARY if id_ in ids]


def test_the_command_prints_the_table_and_writes_what_it_is_told_to(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(evidence, "STORE", tmp_path / "claims.json")
    assert main(["write", "C1"]) == 0
    assert capsys.readouterr().out.startswith("C1 “The chain rule")
    assert main(["show", "C1"]) == 0
    assert main(["show", "C2"]) == 1
    assert capsys.readouterr().err.startswith("No evidence is stored for C2. Run `")
    assert main(["write", "Q1"]) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["claims.json"]


def test_the_command_runs_as_it_is_typed():
    command = [sys.executable, "-m", "course_utils.claims"]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stdout == f"{claims.claim_table()!r}\n"
    assert not run.stderr
