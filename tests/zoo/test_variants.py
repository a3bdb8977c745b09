"""The table of variants has every network and every baseline, and only those."""

import inspect
from importlib import import_module
from pkgutil import iter_modules

import zoo.baselines
import zoo.models
from zoo.models.base import Network
from zoo.refiner import Refiner
from zoo.variants import NETWORKS, VARIANTS


def classes(room: str, paths: list[str]) -> set[type]:
    """The refiners that the modules of a room define and that are not abstract."""
    modules = [import_module(f"zoo.{room}.{module.name}") for module in iter_modules(paths) if not module.ispkg]
    found = {
        thing
        for module in modules
        for thing in vars(module).values()
        if inspect.isclass(thing) and thing.__module__ == module.__name__
    }
    return {thing for thing in found if issubclass(thing, Refiner) and not inspect.isabstract(thing)}


def test_every_network_and_baseline_is_in_the_table() -> None:
    here = classes("models", list(zoo.models.__path__)) | classes("baselines", list(zoo.baselines.__path__))
    assert {variant.load_class() for variant in VARIANTS} == here


def test_the_rows_say_what_their_classes_say() -> None:
    for variant in VARIANTS:
        kind = variant.load_class()
        assert kind.variant == variant.name
        assert issubclass(kind, Network) == variant.is_network
        assert variant.summary.endswith(".")
    assert len({variant.name for variant in VARIANTS}) == len(VARIANTS)
    assert set(NETWORKS) < {variant.name for variant in VARIANTS}
