"""The shape of the house: who may import whom, and a sentence for everything that is public."""

import inspect
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import pytest

import coarsekit
from tests.places import ROOT

MODULES = sorted(module.name for module in walk_packages(coarsekit.__path__, "coarsekit."))


def test_the_import_contracts_of_the_project_are_kept() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run(
        [program, "--no-cache", "--no-logo"], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert " 0 broken" in result.stdout


@pytest.mark.parametrize("name", ["coarsekit", *MODULES])
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


@pytest.mark.parametrize("name", MODULES)
def test_no_module_is_too_long_to_be_read_in_one_sitting(name: str) -> None:
    source = inspect.getsource(import_module(name))
    assert source.count("\n") <= 300
