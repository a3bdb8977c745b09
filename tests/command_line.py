"""The command lines run in this process, and what every refusal of theirs has in common."""

import click
from click.testing import CliRunner, Result


def run(main: click.Command, *arguments: object) -> Result:
    """Run a command line with these arguments, each as its text."""
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def refusal(result: Result) -> str:
    """The sentence of a refusal: exit code 2, one line on stderr, nothing on stdout."""
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.stderr
    return result.stderr
