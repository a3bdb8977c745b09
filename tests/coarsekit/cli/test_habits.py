"""What people expect of any command line: short options, versions, completion, and a sentence for what is not there."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

import coarsekit
import zoo
from coarsekit.cli.groups import EXTRAS, Group
from coarsekit.cli.main import main as coarsekit_main
from coarsekit.storage.files import atomic_write
from tests.places import ROOT
from zoo.cli.main import main as zoo_main

PROGRAMS = {"coarsekit": coarsekit_main, "zoo": zoo_main}


@pytest.mark.parametrize("program", PROGRAMS)
def test_short_options_do_what_the_long_ones_do(program: str) -> None:
    for short, long in (("-h", "--help"), ("-V", "--version")):
        one, other = (CliRunner().invoke(PROGRAMS[program], [option]) for option in (short, long))
        assert (one.exit_code, one.output) == (0, other.output)
    assert coarsekit.__version__ in CliRunner().invoke(PROGRAMS[program], ["-V"]).output
    command = {"coarsekit": "simulate", "zoo": "list"}[program]
    assert CliRunner().invoke(PROGRAMS[program], [command, "-h"]).exit_code == 0


@pytest.mark.parametrize(
    ("program", "words", "begun", "expected"),
    [
        ("zoo", [], "ref", {"refine"}),
        ("zoo", ["refine", "--refiner"], "", set(zoo.list_refiners())),
        ("zoo", ["refine", "--style"], "h", {"human"}),
        ("zoo", ["refine", "--to"], "label", {"labelme", "labelstudio", "labelmap"}),
        ("zoo", ["apply-review", "out", "decisions.json", "--to"], "c", {"coco", "csv", "cvat"}),
        ("zoo", ["evaluate", "sample", "--device"], "c", {"cpu"}),
        ("coarsekit", ["simulate"], "idr", {"idrid:"}),
        ("coarsekit", ["simulate", "--style"], "p", {"paper", "polygons"}),
        ("coarsekit", ["convert", "a", "b", "--to"], "cv", {"cvat"}),
    ],
)
def test_a_shell_completes_commands_and_values(program: str, words: list[str], begun: str, expected: set[str]) -> None:
    shell = ShellComplete(PROGRAMS[program], {}, program, f"_{program.upper()}_COMPLETE")
    assert expected <= {str(item.value) for item in shell.get_completions(words, begun)}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the file of a full disk, which Linux has")
def test_a_full_disk_is_said_with_the_file_that_did_not_fit(tmp_path: Path) -> None:
    group = Group("program")

    @group.command()
    def fill() -> None:
        with atomic_write(tmp_path / "masks.png"), Path("/dev/full").open("w") as full:
            full.write("what does not fit")

    result = CliRunner().invoke(group, ["fill"])
    assert result.exit_code == 2
    assert result.output == (
        f"Error: {tmp_path / 'masks.png'}: No space left on device; make room there, and run the same again\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_names_are_completed_in_python_too() -> None:
    for package in (coarsekit, zoo):
        assert set(package.__all__) | {"__version__"} == set(dir(package))
        assert Path(str(package.__file__)).with_name("py.typed").is_file()
    assert coarsekit.__version__ == zoo.__version__


def test_a_command_without_its_extra_says_what_to_install(tmp_path: Path) -> None:
    hidden = (
        "import sys; sys.modules['torch'] = sys.modules['onnxruntime'] = None; from zoo.cli.main import main; main()"
    )
    command = [sys.executable, "-c", hidden, "refine", "sample", "-o", str(tmp_path / "out")]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == (
        "Error: torch is not installed; install it with pip install 'coarsekit[zoo]', or 'coarsekit[onnx]' to refine "
        "without torch\n"
    )


def test_rules_need_no_torch(tmp_path: Path) -> None:
    hidden = "import sys; sys.modules['torch'] = None; from zoo.cli.main import main; main()"
    options = ["refine", "sample", "--refiner", "shrink", "-o", str(tmp_path / "out"), "-q"]
    result = subprocess.run(
        [sys.executable, "-c", hidden, *options], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert (result.returncode, result.stderr) == (0, "")


def test_every_extra_that_is_named_is_one_of_the_distribution() -> None:
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    assert all(f"\n{extra} = [" in text for extra in EXTRAS.values())
