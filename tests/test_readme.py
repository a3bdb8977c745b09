"""What the README says can be done as it says it."""

import json
import re
import shlex

import pytest

import coarsekit.cli.main
import zoo.cli.main
from coarsekit.annotations import read_annotation
from tests.places import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
LINES = [
    line for block in re.findall(r"```sh\n(.*?)```", README, re.S) for line in block.replace("\\\n", " ").splitlines()
]


def test_continuous_integration_runs_the_test_command_of_the_readme() -> None:
    command = next(line for line in LINES if " -m pytest" in line)
    assert (ROOT / ".ci" / "run").read_text().splitlines()[-1] == command
    assert command in (ROOT / "CONTRIBUTING.md").read_text()


def test_the_example_annotation_is_valid(tmp_path) -> None:
    [example] = re.findall(r"```json\n(.*?)```", README, re.S)
    (tmp_path / "ellipses.json").write_text(example)
    assert len(read_annotation(tmp_path / "ellipses.json").marks) == len(json.loads(example)["ellipses"])


@pytest.mark.parametrize("line", [line for line in LINES if line.split()[0] in ("zoo", "coarsekit")])
def test_every_command_and_option_exists(line: str) -> None:
    program, command, *arguments = shlex.split(line, comments=True)
    group = {"zoo": zoo.cli.main.main, "coarsekit": coarsekit.cli.main.main}[program]
    found = group.get_command(None, command)
    assert found is not None, f"{program} has no command {command}"
    options = {option for parameter in found.params for option in parameter.opts}
    unknown = [argument for argument in arguments if argument.startswith("-") and argument not in options]
    assert not unknown, f"{program} {command} has no option {unknown}"


def test_links_and_pictures_lead_somewhere() -> None:
    local = [target for target in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in target]
    assert local
    assert not [target for target in local if not (ROOT / target).exists()]
