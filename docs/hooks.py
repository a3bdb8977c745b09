"""What MkDocs shows that no page in ``docs`` has: the cards, the notebooks, and the help of every command.

The help is read from the click commands, so that the page cannot say anything else. Neither torch nor a refiner is
loaded for it.
"""

import re
from html import escape
from inspect import cleandoc
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import coarsekit.cli.main
import zoo.cli.main

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

PROGRAMS = {"coarsekit": coarsekit.cli.main.main, "zoo": zoo.cli.main.main}
"""Both command lines by name."""
COMMANDS = "reference/commands.md"
"""The page of all commands."""
_SHOWN = (".md", ".jpg", ".png")
_NUMBERED = re.compile(r"\d+\. ")
_ELSEWHERE = "experiments.md"
_QUOTED = re.compile(r"&#x27;((?:coarsekit|zoo|hf)(?: [^&]*)?)&#x27;")
_OPTION = re.compile(r"(?<![\w/-])(--[a-z][a-z-]*)")


def on_files(files: "Files", *, config: "MkDocsConfig") -> "Files":
    """Add the cards and the notebooks, both with their pictures, and the page of all commands."""
    from mkdocs.structure.files import File

    for path in sorted((Path(config.config_file_path).parent / "cards").iterdir()):
        if path.suffix in _SHOWN and path.name != _ELSEWHERE:
            files.append(File.generated(config, f"cards/{path.name}", abs_src_path=str(path)))
    for path in sorted((Path(config.docs_dir) / "notebooks").glob("*.ipynb")):
        for name, content in notebook_page(path).items():
            files.append(File.generated(config, f"notebooks/{name}", content=content))
    files.append(File.generated(config, COMMANDS, content=commands_page()))
    return files


def on_page_markdown(markdown: str, **_: object) -> str:
    """Indent what belongs to a numbered item by four spaces, where three do elsewhere but not for this Markdown."""
    lines, inside = [], False
    for line in markdown.splitlines():
        inside = bool(_NUMBERED.match(line)) or (inside and (not line or line.startswith("   ")))
        lines.append(f" {line}" if inside and line.startswith("   ") else line)
    return "\n".join(lines)


def notebook_page(path: Path) -> dict[str, str | bytes]:
    """The page of a notebook, with the outputs that are kept in it, and its pictures, by the name of the file."""
    from nbconvert import MarkdownExporter

    text, resources = MarkdownExporter().from_filename(str(path), {"output_files_dir": path.stem})
    title, _, rest = text.partition("\n\n")
    download = f"[The notebook]({path.name}) runs as it is."
    pages = {f"{path.stem}.md": f"{title}\n\n{download}\n\n{rest}"}
    return {**pages, **resources["outputs"]}


def commands_page() -> str:
    """The page of all commands, Markdown with tables as HTML."""
    parts = [
        "# Commands",
        "The help of every command, as `--help` prints it. Exit codes: 0 done, 1 done with findings or failures, 2 bad "
        "input, 130 interrupted. Results go to stdout, progress and messages to stderr.",
    ]
    for program, group in PROGRAMS.items():
        parts += [f"## {program}", group.help or ""]
        with click.Context(group, info_name=program, **group.context_settings) as parent:
            for name in group.list_commands(parent):
                command = group.get_command(parent, name)
                if command is None:
                    raise LookupError(f"{program} lists {name}, and has no such command")
                parts += command_section(command, f"{program} {name}", parent)
    return "\n\n".join(parts) + "\n"


def command_section(command: click.Command, path: str, parent: click.Context) -> list[str]:
    """The heading, usage, description and options of one command."""
    with click.Context(command, info_name=path.rpartition(" ")[2], parent=parent) as context:
        usage = " ".join(command.collect_usage_pieces(context))
        records = [option.get_help_record(context) for option in command.get_params(context)]
    described = [paragraph for text in (command.help, command.epilog) for paragraph in paragraphs(text)]
    rows = [
        f"<tr><td><code>{escape(names)}</code></td><td>{prose(said)}</td></tr>"
        for names, said in (record for record in records if record and record[1])
    ]
    return [
        f"### {path} {{ #{path.replace(' ', '-')} }}",
        f"```text\n{path} {usage}\n```",
        *(f"<p>{prose(paragraph)}</p>" for paragraph in described),
        '<table class="options"><tbody>' + "".join(rows) + "</tbody></table>",
    ]


def paragraphs(text: Any) -> list[str]:
    """The paragraphs of a help text, each on one line."""
    plain = cleandoc(text or "").replace("\b\n", "")
    return [" ".join(paragraph.split()) for paragraph in plain.split("\n\n") if paragraph.strip()]


def prose(text: str) -> str:
    """A help text as HTML, with commands and options in the type of code."""
    quoted = _QUOTED.sub(r"<code>\1</code>", escape(" ".join(text.split())))
    parts = re.split(r"(<code>.*?</code>)", quoted)
    return "".join(part if part.startswith("<code>") else _OPTION.sub(r"<code>\1</code>", part) for part in parts)
