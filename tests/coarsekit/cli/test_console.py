"""The manner of the command lines: numbers, tables, JSON, errors and exit codes."""

import json

import click
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from coarsekit.cli.console import emit, table, with_flags
from coarsekit.cli.groups import Group
from coarsekit.cli.options import numbers
from coarsekit.errors import AnnotationError, CoarsekitError, ParameterError

# ---------------------------------------------------------------------------------------------- numbers


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1.5", (1.5,)),
        ("2", (2.0,)),
        ("1,1.5,2", (1.0, 1.5, 2.0)),
        ("1, 1.5", (1.0, 1.5)),
        ("1.0:2.0:0.1", (1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8, 1.9, 2.0)),
        ("1:2:0.25", (1.0, 1.25, 1.5, 1.75, 2.0)),
        ("1:2:0.3", (1.0, 1.3, 1.6, 1.9)),
        ("1:2:5", (1.0,)),
        ("1:1:0.1", (1.0,)),
    ],
)
def test_a_value_a_list_or_a_sweep(text: str, values: tuple[float, ...]) -> None:
    assert numbers(text) == values


@given(st.integers(0, 50), st.integers(1, 60), st.sampled_from([0.05, 0.1, 0.2, 0.25, 0.3, 0.7, 1.0]))
def test_a_sweep_holds_its_end(start: int, steps: int, step: float) -> None:
    end = start + steps * step
    values = numbers(f"{start}:{end}:{step}")
    assert values[0] == start
    assert values[-1] == pytest.approx(end)
    assert len(values) == steps + 1


@pytest.mark.parametrize(
    "text",
    [
        *("", "a", "1,", ",1", "1,,2", "1:2", "1:2:3:4", "1:2:", "::", "2:1:0.1", "1:2:0", "1:2:-1", "1.0–2.0"),
        *("nan", "1,inf", "-inf", "1e400", "nan:2:1", "1:nan:1", "1:2:nan", "1:inf:1", "inf:inf:1", "1:2:inf"),
        "1:1e308:1e-308",
    ],
)
def test_anything_else_is_refused_by_name(text: str) -> None:
    with pytest.raises(ParameterError) as caught:
        numbers(text)
    assert str(caught.value).startswith(f"{text!r} is not a number, a list such as 1,1.5,2, or a sweep")


# ---------------------------------------------------------------------------------------------- results


def test_a_result_is_one_json_document_with_null_where_there_is_no_number(capsys: pytest.CaptureFixture[str]) -> None:
    emit({"rows": [{"iou": float("nan"), "lesion": "MA"}], "parts": (1.5, None)})
    out, err = capsys.readouterr()
    assert json.loads(out) == {"rows": [{"iou": None, "lesion": "MA"}], "parts": [1.5, None]}
    assert out.count("\n") == 1
    assert err == ""


def test_a_table_keeps_every_column_whole_where_it_is_piped(capsys: pytest.CaptureFixture[str]) -> None:
    table("A title", [{"name": "x" * 90, "floor_iou": 12.345}, {"name": "y" * 60, "floor_iou": 6.0}])
    out, err = capsys.readouterr()
    assert "A title" in out
    assert "floor iou" in out
    assert any("x" * 90 in line and "12.3" in line for line in out.splitlines())
    assert any("y" * 60 in line and "6.0" in line for line in out.splitlines())
    assert err == ""


def test_names_in_a_table_are_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    table("Our clinic [/b]", [{"[bold]lesion": "[red]MA"}])
    printed = capsys.readouterr().out
    assert all(text in printed for text in ("Our clinic [/b]", "[bold]lesion", "[red]MA"))


# ---------------------------------------------------------------------------------------------- messages


@pytest.mark.parametrize(
    ("sentence", "printed"),
    [
        (
            "a.png is already there; give force=True to write over it",
            "a.png is already there; give --force to write over it",
        ),
        ("give the folder with a.jpg by images=…", "give the folder with a.jpg by --images"),
        ("no training to resume there, so leave resume=True out", "no training to resume there, so leave --resume out"),
        (
            "reinforce=True, force=False and width=… are no parameters",
            "reinforce=True, force=False and width=… are no parameters",
        ),
    ],
)
def test_parameters_of_the_library_are_printed_as_options_of_the_command(sentence: str, printed: str) -> None:
    @click.command("work")
    @click.option("--force", is_flag=True)
    @click.option("--images")
    @click.option("--resume", "again", is_flag=True)
    def work() -> None: ...

    assert with_flags(sentence, work) == printed
    assert with_flags(sentence, None) == sentence


# ---------------------------------------------------------------------------------------------- exit codes


def run(problem: BaseException | None) -> Result:
    """A group with one command that ends in ``problem``."""

    @click.group(cls=Group)
    def group() -> None:
        pass

    @group.command()
    def work() -> None:
        if problem:
            raise problem

    return CliRunner().invoke(group, ["work"])


def test_success_is_0() -> None:
    result = run(None)
    assert (result.exit_code, result.output) == (0, "")


@pytest.mark.parametrize("error", [CoarsekitError("a.json: no"), AnnotationError("a.json: no")])
def test_a_wrong_input_is_one_sentence_and_2(error: Exception) -> None:
    result = run(error)
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", "Error: a.json: no\n")


def test_a_full_disk_is_one_sentence_and_2() -> None:
    result = run(OSError(28, "No space left on device", "out/a.png"))
    assert result.exit_code == 2
    assert result.stderr == "Error: out/a.png: No space left on device; make room there, and run the same again\n"


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt(), click.Abort()])
def test_an_interrupt_is_130_and_says_how_to_go_on(interrupt: BaseException) -> None:
    result = run(interrupt)
    assert result.exit_code == 130
    assert result.stderr.strip().startswith("Interrupted; ")
    assert "run the same command again to go on" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_a_defect_is_not_hidden_behind_a_sentence() -> None:
    result = run(ZeroDivisionError())
    assert isinstance(result.exception, ZeroDivisionError)
