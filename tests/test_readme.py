"""What the README says is true; its commands and blocks are checked with those of the documentation."""

import re

import pytest

from tests.places import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
LINES = [
    line for block in re.findall(r"```sh\n(.*?)```", README, re.S) for line in block.replace("\\\n", " ").splitlines()
]
MOST_WORDS = 1000
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in README.splitlines()
    if line.startswith("| ") and re.search(r"\d \(", line)
]


def test_it_is_read_in_a_few_minutes() -> None:
    assert len(README.split()) <= MOST_WORDS


def test_continuous_integration_runs_the_test_command_of_the_readme() -> None:
    command = next(line for line in LINES if " -m pytest" in line)
    assert (ROOT / ".ci" / "run").read_text().splitlines()[-1] == command
    assert command in (ROOT / "CONTRIBUTING.md").read_text()


def test_the_table_has_six_refiners() -> None:
    assert len(ROWS) == 6


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_the_figures_are_those_of_the_tables(row: list[str]) -> None:
    """Each figure stands in a row of that refiner on the page that has every table."""
    page = (ROOT / "docs" / "how-good.md").read_text(encoding="utf-8")
    own = [line for line in page.splitlines() if line.startswith(f"| {row[0]} |")]
    assert [figure for figure in row[1:] if not any(f"| {figure} |" in line for line in own)] == []


def test_links_and_pictures_lead_somewhere() -> None:
    local = [target for target in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in target]
    assert local
    assert not [target for target in local if not (ROOT / target).exists()]
