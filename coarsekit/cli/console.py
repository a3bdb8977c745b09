"""The manner of both command lines: options that mean the same everywhere, progress, tables, errors, exit codes."""

import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib import import_module
from math import isfinite, isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from coarsekit.cli.completion import complete_styles
from coarsekit.errors import CoarsekitError, ParameterError, did_you_mean

if TYPE_CHECKING:
    from coarsekit.annotations.reading import ReadOptions, ReadReport

Command = TypeVar("Command", bound=Callable[..., Any])


OUT = click.option("-o", "--out", metavar="FOLDER", help="Folder to write to.")
SPLIT = click.option("--split", metavar="NAME", help="Only this split, such as train or test.  [default: all]")
SEED = click.option(
    "--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, help="Seed of all random numbers."
)
FORCE = click.option("--force", is_flag=True, help="Write over results that are already there.")
QUIET = click.option("-q", "--quiet", is_flag=True, help="No progress and no table; errors are still shown.")
LABELS = click.option(
    "--labels",
    multiple=True,
    metavar="LABEL=LESION|FILE",
    help="The lesion class of a label of the annotation; may be given several times. The usual names are known. LABEL= "
    "leaves it out, =LESION is for regions without a label, and FILE is a TOML file of such pairs. They "
    "stand before the table [labels] of a coarsekit.toml beside the annotation or the photographs.",
)
LABEL_ATTRIBUTE = click.option(
    "--label-attribute", metavar="NAME", help="The attribute that holds the label, in files whose regions have some."
)
ANNOTATOR = click.option(
    "--annotator", metavar="NAME", help="Only what this annotator, task or expert drew.  [default: all, told apart]"
)
STRICT = click.option("--strict", is_flag=True, help="Stop at what would be left out and named.")
STYLE = click.option(
    "--style",
    "style_name",
    default="human",
    show_default=True,
    shell_complete=complete_styles,
    help="How it is drawn: human, paper, mixed, clicks, strokes, boxes, polygons, or the TOML file of a style (see "
    "'coarsekit calibrate').",
)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout, for programs.")

EXTRAS = {"torch": "zoo", "torchvision": "zoo", "timm": "zoo", "safetensors": "zoo"}
EXTRAS |= {"datasets": "zoo", "pandas": "zoo", "skimage": "zoo"}
EXTRAS |= {"accelerate": "train", "matplotlib": "report"}
EXTRAS |= {"onnxruntime": "onnx", "onnx": "export-onnx", "onnxscript": "export-onnx"}
"""The extra of the distribution that brings a package, where a command needs one that is not installed."""

_PARAMETER = re.compile(r"\b([a-z_]+)=(?:True|…)")

_INTERRUPTED = "Interrupted; what is finished is kept: run the same command again to go on, zoo train with --resume."


class Group(click.Group):
    """A command group whose user errors are one sentence on stderr and exit code 2, and whose interrupts are 130."""

    running: click.Command | None = None
    """The command that was asked for; its options are named in errors."""

    def main(self, *args: Any, **options: Any) -> Any:
        try:
            code = super().main(*args, **{**options, "standalone_mode": False})
            sys.exit(code if isinstance(code, int) else 0)
        except CoarsekitError as error:
            self._stop(f"Error: {with_flags(str(error), self.running)}", 2)
        except ModuleNotFoundError as error:
            package = str(error.name).partition(".")[0]
            if (extra := EXTRAS.get(package)) is None:
                raise
            other = ", or 'coarsekit[onnx]' to refine without torch" if package == "torch" else ""
            self._stop(f"Error: {package} is not installed; install it with pip install 'coarsekit[{extra}]'{other}", 2)
        except click.UsageError as error:
            where = f" (see '{error.ctx.command_path} --help')" if error.ctx else ""
            self._stop(f"Error: {error.format_message()}{where}", 2)
        except click.ClickException as error:
            self._stop(f"Error: {error.format_message()}", 2)
        except (click.Abort, KeyboardInterrupt):
            self._stop(_INTERRUPTED, 130)
        except BrokenPipeError:  # the reader of a pipe has seen enough, as head does
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(0)
        except OSError as error:
            self._stop(
                f"Error: {error.filename or 'the disk'}: {error.strerror or error}; check the path and its rights", 2
            )

    @staticmethod
    def _stop(sentence: str, code: int) -> None:
        click.echo(sentence, err=True)
        sys.exit(code)


class LazyGroup(Group):
    """A group whose commands lie one to a file of ``package``, and are imported when they are run.

    The file of a command ``two-words`` is ``two_words.py``.

    ``summaries``: the one-line help by command name, so that --help imports none of them.
    """

    def __init__(self, name: str, *, package: str, about: str, summaries: dict[str, str]) -> None:
        settings = {"help_option_names": ["-h", "--help"]}
        super().__init__(name, help=about, no_args_is_help=False, context_settings=settings)
        self._package, self._summaries = package, summaries
        click.version_option(None, "-V", "--version", package_name="coarsekit", prog_name=name)(self)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, args or ["--help"])

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._summaries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._summaries:
            return None
        self.running = import_module(f"{self._package}.{cmd_name.replace('-', '_')}").command
        return self.running

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The commands with their summaries; none is imported."""
        found = [CompletionItem(name, help=about) for name, about in self._summaries.items()]
        options = [] if not incomplete.startswith("-") else super().shell_complete(ctx, incomplete)
        return [item for item in found if str(item.value).startswith(incomplete)] + options

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in self._summaries:
            known = ", ".join(self._summaries)
            ctx.fail(f"no command {args[0]!r}; choose one of {known}{did_you_mean(args[0], self._summaries)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(self._summaries.items()))


def numbers(text: str) -> tuple[float, ...]:
    """A value (``1.5``), a list (``1,1.5,2``) or a sweep with its end (``1.0:2.0:0.1``) of reduction factors.

    Raises `ParameterError` for anything else.
    """
    try:
        parts = [float(part) for part in text.split(":" if ":" in text else ",")]
        if not all(isfinite(part) for part in parts):
            raise ValueError
        if ":" not in text:
            return tuple(parts)
        start, stop, step = parts
        if step <= 0 or stop < start:
            raise ValueError
        return tuple(round(start + index * step, 10) for index in range(int((stop - start) / step + 1e-9) + 1))
    except (ValueError, OverflowError):
        raise ParameterError(
            f"{text!r} is not a number, a list such as 1,1.5,2, or a sweep such as 1.0:2.0:0.1"
        ) from None


def _reductions(context: click.Context, option: click.Parameter, text: str) -> tuple[float, ...]:
    """The reduction factors of an option's text, each once."""
    try:
        return (float(text),)  # any number: the library says which factors it takes
    except ValueError:
        pass
    try:
        return tuple(dict.fromkeys(numbers(text)))
    except ParameterError as error:
        raise click.BadParameter(str(error), context, option) from None


REDUCTION = click.option(
    "--reduction",
    "reductions",
    default="1.0",
    show_default=True,
    callback=_reductions,
    help="Reduction factor, components / ellipses: 1.5, or several as 1,1.5,2 or 1.0:2.0:0.1.",
)


def label_table(texts: Sequence[str]) -> dict[str, str]:
    """Lesion class by label, from texts such as ``Microaneurysm=MA``, ``Optic disc=``, ``=MA``, or a TOML file of them.

    Raises `ParameterError` for a text of another form, for a file that does not have classes by label, and for a label
    that is given two classes.
    """
    found: dict[str, str] = {}
    for text in texts:
        for label, lesion in _labels_of_file(text) if text.lower().endswith(".toml") else _label_pairs(text):
            if found.setdefault(label, lesion) != lesion:
                raise ParameterError(
                    f"--labels gives {label!r} two lesion classes, {found[label] or 'none'} and {lesion or 'none'}; "
                    "keep one"
                )
    from coarsekit.annotations.labels import Labels

    Labels(found)  # says what is wrong before any work
    return found


def _label_pairs(text: str) -> list[tuple[str, str]]:
    """The pairs of a text, which may be several with commas between them."""
    parts = text.split(",") if all("=" in part for part in text.split(",")) else [text]
    pairs = [(label.strip(), lesion.strip()) for label, _, lesion in (part.rpartition("=") for part in parts)]
    unclear = parts == [text] and "," in text and ("," in pairs[0][1] or text.count("=") > 1)
    if "=" not in text or unclear or not all(label or lesion for label, lesion in pairs):
        raise ParameterError(f"--labels must be LABEL=LESION such as Microaneurysm=MA, once for each, got {text!r}")
    return pairs


def _labels_of_file(path: str) -> list[tuple[str, str]]:
    from coarsekit.validation import load_toml, validated

    content = load_toml(
        Path(path), ParameterError, "--labels names a TOML file of LABEL = 'LESION', or a pair LABEL=LESION"
    )
    table = content.get("labels") if isinstance(content.get("labels"), dict) else content
    return list(validated(dict[str, str], table, path, error=ParameterError).items())


def reading(command: Command) -> Command:
    """The options that say how annotation files are read: labels, annotators, and whether anything may be left out."""
    for option in (STRICT, ANNOTATOR, LABEL_ATTRIBUTE, LABELS):
        command = option(command)
    return command


def say_report(report: "ReadReport", options: "ReadOptions", quiet: bool) -> list[str]:
    """Print what reading guessed and left out; return the notes."""
    notes = report.all_notes(options)
    for sentence in (*notes, *(f"Left out: {text}" for text in report.left_out)):
        say(sentence, quiet)
    return notes


@contextmanager
def progress(what: str, total: int, quiet: bool) -> Iterator[Callable[[int], None]]:
    """A progress bar on stderr, if that is a terminal, gone when done; gives the function that advances it."""
    from rich import progress as rich
    from rich.console import Console

    times = (rich.TimeElapsedColumn(), rich.TimeRemainingColumn())
    columns = (rich.TextColumn("{task.description}"), rich.BarColumn(), rich.MofNCompleteColumn(), *times)
    console = Console(stderr=True)
    with rich.Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as bar:
        task = bar.add_task(what, total=total)
        yield lambda steps: bar.advance(task, steps)


@contextmanager
def growing_progress(what: str, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """`progress` for work whose length shows when it begins: gives the function to call with what is done of how much.

    The bar is there from its first call on, and gone when all is done.
    """
    with ExitStack() as stack:
        advance: Callable[[int], None] | None = None
        shown = 0

        def show(done: int, total: int) -> None:
            nonlocal advance, shown
            if advance is None:
                advance = stack.enter_context(progress(what, total, quiet))
            advance(done - shown)
            shown = done
            if done == total:
                stack.close()

        yield show


def table(title: str, rows: Sequence[dict[str, Any]]) -> None:
    """Print rows as a table on stdout, with one column for each key of the first."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    # What users call their data is text, and no markup of rich's.
    grid = Table(title=escape(title), title_justify="left")
    for name in rows[0] if rows else ():
        grid.add_column(
            escape(name.replace("_", " ")), justify="right" if isinstance(rows[0][name], (int, float)) else "left"
        )
    for row in rows:
        grid.add_row(*(escape(_cell(value)) for value in row.values()))
    console = Console()
    # Piped output keeps every column whole instead of folding at 80 characters.
    (console if console.is_terminal else Console(width=200)).print(grid)


def emit(result: dict[str, Any]) -> None:
    """Print a result as one JSON document on stdout; NaN, which JSON lacks, becomes null."""
    click.echo(json.dumps(_plain(result), allow_nan=False))


def refuse(reason: str, *names: str) -> None:
    """Raise a usage error for an option that was given, but would do nothing."""
    context = click.get_current_context()
    for parameter in context.command.params:
        if parameter.name in names and context.get_parameter_source(parameter.name) is ParameterSource.COMMANDLINE:
            raise click.UsageError(f"{parameter.opts[0]} does nothing here, since {reason}; leave it out")


def say(sentence: str, quiet: bool) -> None:
    """Print a message for people on stderr, with the options of the command line for the library's parameters."""
    if not quiet:
        context = click.get_current_context(silent=True)
        click.echo(with_flags(sentence, context.command if context else None), err=True)


def with_flags(sentence: str, command: click.Command | None) -> str:
    """The library's sentence, in which the command's options stand for parameters such as ``force=True``, ``out=…``."""
    parameters = command.params if command else []
    flags = {parameter.name: parameter.opts[0] for parameter in parameters}
    flags |= {option.removeprefix("--").replace("-", "_"): option for each in parameters for option in each.opts}
    return _PARAMETER.sub(lambda found: flags.get(found[1], found[0]), sentence)


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.1f}"
    return "–" if value is None else str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and isnan(value) else value
