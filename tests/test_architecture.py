"""The shape of the packages: who may import whom, a docstring for everything public, and messages without options."""

import ast
import inspect
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import pytest

import coarsekit
import zoo
from tests.places import ROOT

MODULES = sorted(
    module.name
    for package in (coarsekit, zoo)
    for module in walk_packages(package.__path__, f"{package.__name__}.")
    if module.name != "zoo.__main__"
)
LIBRARY = sorted(
    str(path.relative_to(ROOT))
    for package in ("coarsekit", "zoo")
    for path in (ROOT / package).rglob("*.py")
    if "cli" not in path.parts
)
COMMANDS = re.compile(r"\b(zoo|coarsekit) [a-z]+[^'\n]*")
"""A whole command line, which a message may quote and a card prints."""
CARDS = ("coarsekit/export/dataset_card.py", "zoo/cards/")
"""Modules that put command lines together."""


def test_the_import_contracts_of_the_project_are_kept() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run(
        [program, "--no-cache", "--no-logo"], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert " 0 broken" in result.stdout


@pytest.mark.parametrize("name", ["coarsekit", "zoo", *MODULES])
def test_every_public_thing_of_a_module_has_a_docstring(name: str) -> None:
    module = import_module(name)
    assert module.__doc__
    missing = [
        place for place, thing in public_things(module) if thing.__module__ == name and not inspect.getdoc(thing)
    ]
    assert missing == []


def public_things(module) -> list[tuple[str, object]]:
    """Functions and classes of a module and their own methods, without what begins with an underscore."""
    things = [
        (name, thing)
        for name, thing in vars(module).items()
        if not name.startswith("_") and (inspect.isfunction(thing) or inspect.isclass(thing))
    ]
    methods = [
        (f"{name}.{own}", member)
        for name, thing in things
        if inspect.isclass(thing)
        for own, member in vars(thing).items()
        if not own.startswith("_") and inspect.isfunction(member) and not hasattr(thing.__base__, own)
    ]
    return things + methods


@pytest.mark.parametrize("path", LIBRARY)
def test_no_message_of_the_library_names_an_option_of_the_command_line(path: str) -> None:
    named = [text for text in messages((ROOT / path).read_text("utf-8")) if re.search(r"--[a-z]", text)]
    assert named == [] or path.startswith(CARDS)


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ('raise E(f"{path} is there; use --force")', ["{} is there; use --force"]),
        ("raise E(\"a; run 'zoo evaluate' again with --force\")", ["a; run '' again with --force"]),
        ("raise E(f\"run 'zoo evaluate {x} --json'\")", []),
        ('def f():\n    """As --force does."""\nX = 1\n"""As --json prints it."""', []),
    ],
)
def test_that_a_message_with_an_option_is_found(source: str, named: list[str]) -> None:
    assert [text for text in messages(source) if "--" in text] == named


def messages(source: str) -> list[str]:
    """The string literals of a module that are not docstrings, {} for each value, without the commands they quote."""
    tree = ast.parse(source)
    described = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    texts = []
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            texts.append("".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in described | parts:
            texts.append(node.value)
    return [COMMANDS.sub("", text) for text in texts]
