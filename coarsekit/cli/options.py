"""Options that mean the same in every command of both command lines, and how their texts are read."""

from collections.abc import Callable, Sequence
from math import isfinite
from pathlib import Path
from typing import Any, TypeVar

import click

from coarsekit.cli.completion import complete_styles
from coarsekit.errors import ParameterError

Command = TypeVar("Command", bound=Callable[..., Any])


OUT = click.option("-o", "--out", metavar="FOLDER", help="Folder to write to.")
SPLIT = click.option("--split", metavar="NAME", help="Only this split, such as train or test.  [default: all]")
SEED = click.option(
    "--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, help="Seed of all random numbers."
)
FORCE = click.option("--force", is_flag=True, help="Write over results that are already there.")
QUIET = click.option("-q", "--quiet", is_flag=True, help="No progress and no table; errors and losses are still shown.")
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
