"""A command line of commands that lie one to a file: what is imported when, errors in one sentence, exit codes."""

import os
import sys
from errno import EDQUOT, ENOSPC
from importlib import import_module
from itertools import pairwise
from typing import Any

import click
from click.shell_completion import CompletionItem

from coarsekit.cli.console import with_flags
from coarsekit.errors import CoarsekitError, did_you_mean

EXTRAS = {"torch": "zoo", "torchvision": "zoo", "timm": "zoo", "safetensors": "zoo"}
EXTRAS |= {"datasets": "zoo", "pandas": "zoo", "skimage": "zoo"}
EXTRAS |= {"accelerate": "train", "matplotlib": "report"}
EXTRAS |= {"onnxruntime": "onnx", "onnx": "export-onnx", "onnxscript": "export-onnx"}
"""The extra of the distribution that brings a package, where a command needs one that is not installed."""

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
            full = error.errno in (ENOSPC, EDQUOT)
            advice = "make room there, and run the same again" if full else "check the path and its rights"
            self._stop(f"Error: {error.filename or 'the disk'}: {error.strerror or error}; {advice}", 2)

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
        _refuse_empty(ctx, args)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(self._summaries.items()))


def _refuse_empty(ctx: click.Context, args: list[str]) -> None:
    """Refuse an empty argument: of a variable of the shell that is not set, which would be the present folder."""
    for before, argument in pairwise(args):
        if argument == "" or (argument.startswith("--") and argument.endswith("=")):
            name = argument.rstrip("=") or (before if before.startswith("-") else f"what follows {before}")
            ctx.fail(f"{name} is an empty text; give a value, such as '.' for the present folder, or leave it out")
