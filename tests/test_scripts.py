"""The scripts of the documentation, one for each user: twenty lines or so of public names, run on the sample."""

import ast
import runpy
import sys
from pathlib import Path

import pytest

import coarsekit
import zoo
from tests.annotators_folder import fill
from tests.places import ROOT

SCRIPTS = ROOT / "docs" / "scripts"
MOST_LINES = 25
PUBLIC = {package.__name__: {*package.__all__, "__version__"} for package in (coarsekit, zoo)}


def fill_with_the_sample(folder: Path) -> coarsekit.Annotation:
    """A photograph of the sample, with a few marks."""
    return fill(folder, coarsekit.open_source("sample").read("IDRiD_46"))


def run(name: str, *arguments: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a script with these arguments, as the interpreter does."""
    monkeypatch.setattr(sys, "argv", [name, *arguments])
    runpy.run_path(str(SCRIPTS / name), run_name="__main__")


@pytest.mark.parametrize("path", sorted(SCRIPTS.glob("*.py")), ids=lambda path: path.stem)
def test_a_script_is_short_and_of_public_names(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MOST_LINES
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in PUBLIC:
            assert node.attr in PUBLIC[node.value.id]
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names = [each.name for each in node.names] if isinstance(node, ast.Import) else [str(node.module)]
            assert all(name in PUBLIC or name in sys.stdlib_module_names for name in names)


def test_every_script_stands_on_a_page_of_the_documentation() -> None:
    pages = "".join(page.read_text(encoding="utf-8") for page in (ROOT / "docs" / "start").glob("*.md"))
    assert [path.name for path in SCRIPTS.glob("*.py") if f'--8<-- "docs/scripts/{path.name}"' not in pages] == []


def test_an_annotation_team_gets_masks_for_its_tool(tmp_path, monkeypatch, capsys) -> None:
    fill_with_the_sample(tmp_path)
    monkeypatch.chdir(tmp_path)
    run("annotation_team.py", "PHOTOGRAPHS", "annotations.xml", "masks", monkeypatch=monkeypatch)
    assert (tmp_path / "masks" / "refined_cvat.xml").is_file()
    printed = capsys.readouterr().out
    assert printed.count("look at") == 6
    assert "refined_cvat.xml" in printed


def test_an_engineer_gets_a_result_for_each_mark_and_a_sentence_for_an_error(tmp_path, monkeypatch, capsys) -> None:
    annotation = fill_with_the_sample(tmp_path)
    monkeypatch.chdir(tmp_path)
    run("engineer.py", "PHOTOGRAPHS/image.png", "ellipses.json", monkeypatch=monkeypatch)
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == len(annotation.marks) + 2
    with pytest.raises(SystemExit, match=r"^Error: .*nowhere\.png"):
        run("engineer.py", "nowhere.png", "ellipses.json", monkeypatch=monkeypatch)


def test_a_researcher_gets_a_network_and_its_scores(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    short = {"epochs": 1, "samples": 4, "width": 2, "size": 64, "batch": 4, "only_lesions": ["SE"]}
    train, evaluate = zoo.train, zoo.evaluate

    def less(recipe: str, *given: str, settings: dict, **options) -> dict:
        """A training of seconds, of the same call."""
        return train(recipe, *given, settings={**settings, **short}, **options)

    monkeypatch.setattr(zoo, "train", less)
    monkeypatch.setattr(zoo, "evaluate", lambda *given, **options: evaluate(*given, lesions=["SE"], **options))
    run("researcher.py", "sample", "validation", "validation", "out", monkeypatch=monkeypatch)
    printed = capsys.readouterr().out
    assert "IDRiD_46 at reduction 2.0 has" in printed
    assert "best IoU on the photographs held out:" in printed
    assert (tmp_path / "out" / "mine" / "model.safetensors").is_file()
