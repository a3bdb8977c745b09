"""What the documentation says can be done as it says it, and its site builds without a warning."""

import importlib.util
import os
import re
import shlex
import subprocess
import sys
import tomllib
from itertools import pairwise
from pathlib import Path

import click
import pytest

import coarsekit
import coarsekit.cli.main
import zoo
import zoo.cli.main
from coarsekit.annotations import read_annotation
from coarsekit.datasets.folder_config import FolderConfig
from tests.annotators_folder import fill
from tests.places import ROOT
from zoo.checkpoints.folder import DEFAULT
from zoo.training.recipe_files import make_recipe, parse_settings, read_recipe

DOCS = ROOT / "docs"
PROGRAMS = {"coarsekit": coarsekit.cli.main.main, "zoo": zoo.cli.main.main}
INCLUDED = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "cards/experiments.md")]
"""Pages of the site, and of whoever looks at the repository, that do not lie in ``docs``."""


def blocks(language: str, *paths: Path) -> list[tuple[str, str]]:
    """The page and the text of every code block in a language, in the order of the pages.

    A block that shows a file (``{.python}``) is left out: scripts have tests of their own.
    """
    pages = paths or (*sorted(DOCS.rglob("*.md")), *INCLUDED)
    fence = re.compile(rf"^([ ]*)```{language}\n(.*?)^\1```", re.S | re.M)
    return [
        (str(page.relative_to(ROOT)), re.sub(f"(?m)^{indent}", "", block))
        for page in pages
        for indent, block in fence.findall(page.read_text(encoding="utf-8"))
    ]


def command_lines() -> list[tuple[str, str]]:
    """Every command line of the two programs, as ``coarsekit …`` or ``zoo …``, with its page."""
    found = []
    for page, block in blocks("sh"):
        for line in re.split(r"\n|&&", block.replace("\\\n", " ")):
            words = line.partition(" #")[0].split(" > ")[0].split()
            place = next((at for at, word in enumerate(words) if word.rpartition("/")[2] in PROGRAMS), None)
            alone = place == 0 or (place and (words[place - 1] == "-m" or words[0] in ("nohup", "time")))
            if place is not None and alone:
                found.append((page, " ".join([words[place].rpartition("/")[2], *words[place + 1 :]])))
    return list(dict.fromkeys(found))


@pytest.mark.parametrize(("page", "line"), command_lines())
def test_every_command_and_option_exists(page: str, line: str) -> None:
    program, name, *arguments = shlex.split(line)
    if name in ("--version", "--help", "-V", "-h"):
        return
    command = PROGRAMS[program].get_command(click.Context(PROGRAMS[program]), name)
    assert command is not None, f"{page}: {program} has no command {name}"
    context = click.Context(command, info_name=name, help_option_names=["-h", "--help"])
    try:
        values, _, parameters = command.make_parser(context).parse_args(arguments)
    except click.UsageError as error:
        raise AssertionError(f"{page}: {line}: {error.format_message()}") from None
    for parameter in parameters:
        given = values.get(parameter.name)
        for value in given if isinstance(given, (list, tuple)) else [given]:
            if isinstance(parameter.type, click.Choice) and value:
                assert value in parameter.type.choices, f"{page}: {line}: {value}"


@pytest.mark.parametrize(("page", "line"), [each for each in command_lines() if each[1].startswith("zoo train")])
def test_trainings_name_recipes_and_fields_that_exist(page: str, line: str) -> None:
    arguments = shlex.split(line)
    options = list(pairwise(arguments))
    settings = parse_settings(value for name, value in options if name == "--set")
    if "start" in settings:
        settings["start"] = "unet" if "unet" in line or "prototypes" in line or "superpixel" in line else "lite"
    make_recipe(read_recipe(dict(options).get("--recipe", "paper")), settings)


@pytest.mark.parametrize(("page", "block"), blocks("python"))
def test_every_python_block_compiles(page: str, block: str) -> None:
    compile(block, page, "exec")


@pytest.mark.parametrize(("page", "block"), blocks("toml"))
def test_every_toml_block_is_a_coarsekit_toml(page: str, block: str) -> None:
    content = tomllib.loads(block)
    if "coarsekit.toml" in (ROOT / page).read_text(encoding="utf-8") and "masks" in content:
        FolderConfig.model_validate(content)


def test_the_example_annotation_is_valid(tmp_path) -> None:
    [(_, example)] = blocks("json", DOCS / "tasks" / "refine.md")
    (tmp_path / "ellipses.json").write_text(example)
    assert len(read_annotation(tmp_path / "ellipses.json").marks) == example.count('"lesion"')


def test_the_blocks_of_the_readme_and_of_the_page_for_engineers_run(tmp_path, monkeypatch, capsys) -> None:
    """On a photograph of the bundled sample, with the fastest refiner in place of the default one."""
    annotation = fill(tmp_path, coarsekit.open_source("sample").read("IDRiD_46"))
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    for page, block in blocks("python", ROOT / "README.md", DOCS / "start" / "engineers.md"):
        exec(compile(block.replace(f'"{DEFAULT}"', '"shrink"'), page, "exec"), names)
        if block.startswith("result ="):
            assert len(names["result"].marks) == len(annotation.marks)
    assert set(names["masks"]) == {"MA", "HE"}
    assert names["report"].failures == []
    assert (tmp_path / "masks" / "image_MA.png").exists()
    assert "lyte" in capsys.readouterr().out


def test_the_training_of_the_page_on_training_runs(tmp_path, monkeypatch, capsys) -> None:
    [(page, block)] = blocks("python", DOCS / "tasks" / "train.md")
    smaller = '"size": 64, "batch": 4, "only_lesions": ["SE"], "samples": 4'
    monkeypatch.chdir(tmp_path)
    exec(compile(block.replace('"samples": 64', smaller), page, "exec"), {})
    assert float(capsys.readouterr().out) >= 0
    assert (tmp_path / "OUT" / "model.safetensors").is_file()


def test_the_reference_has_every_public_name() -> None:
    for package in (coarsekit, zoo):
        page = (DOCS / "reference" / f"{package.__name__}.md").read_text(encoding="utf-8")
        shown = {line.rpartition(".")[2] for line in page.splitlines() if line.startswith("::: ")}
        assert set(package.__all__) <= shown


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The site, built as strictly as it can be: a link or an anchor that leads nowhere is an error."""
    for module in ("mkdocs", "material", "mkdocstrings_handlers.python"):
        if _missing(module):
            pytest.skip(f"{module} is not installed; pip install 'coarsekit[docs]'")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    result = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "WARNING" not in result.stdout + result.stderr
    return folder


def _missing(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is None
    except ModuleNotFoundError:
        return True


def test_the_site_has_the_help_of_every_command(site: Path) -> None:
    page = (site / "reference" / "commands" / "index.html").read_text(encoding="utf-8")
    for program, group in PROGRAMS.items():
        for name in group.list_commands(click.Context(group)):
            assert f'id="{program}-{name}"' in page
    assert "--keep-specks" in page


def test_the_help_is_made_without_torch() -> None:
    """In a process of its own, since others of these tests load torch."""
    program = (
        "import sys; sys.path.insert(0, 'docs'); import hooks; hooks.commands_page(); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, timeout=120)


def test_no_page_asks_another_host_for_anything(site: Path) -> None:
    loading = re.compile(r"<(?:script|link|img|iframe|source)\b[^>]*?\b(?:src|href)=[\"']?(?:https?:)?//[^>]*>")
    imported = re.compile(r"(?:@import|url\()\s*[\"']?(?:https?:)?//")
    pages = list(site.rglob("*.html"))
    assert pages
    assert [found for page in pages for found in loading.findall(page.read_text(encoding="utf-8"))] == []
    assert [path.name for path in site.rglob("*.css") if imported.search(path.read_text(encoding="utf-8"))] == []
