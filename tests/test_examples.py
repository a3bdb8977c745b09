"""The examples in the docstrings of what is public are true, in a folder that has the files that they name."""

import doctest
from pathlib import Path

import pytest

import coarsekit
import zoo
from coarsekit.images import write_image
from tests.annotators_folder import fill, painted

PUBLIC = {
    **{package.__name__: package for package in (coarsekit, zoo)},
    **{
        f"{package.__name__}.{name}": getattr(package, name) for package in (coarsekit, zoo) for name in package.__all__
    },
}
WITH_EXAMPLES = [
    *("coarsekit", "coarsekit.annotate", "coarsekit.open_source", "coarsekit.read_annotation", "coarsekit.read_image"),
    *("coarsekit.read_mask", "coarsekit.Mark", "coarsekit.Annotation", "zoo", "zoo.evaluate", "zoo.from_pretrained"),
    *("coarsekit.calibrate", "coarsekit.check", "coarsekit.convert", "coarsekit.export_pairs"),
    *(
        "coarsekit.write_annotations",
        "zoo.list_refiners",
        "zoo.refine_to_folder",
        "zoo.train",
        "zoo.Refiner",
        "zoo.ToolOptions",
    ),
]


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_the_examples_are_true(name: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    fundus = painted()
    fill(tmp_path, fundus)
    write_image(tmp_path / "image_MA.png", fundus.fine["MA"])

    finder = doctest.DocTestFinder(recurse=isinstance(PUBLIC[name], type))
    names = {"coarsekit": coarsekit, "zoo": zoo}
    runner = doctest.DocTestRunner(optionflags=doctest.REPORT_ONLY_FIRST_FAILURE)
    for example in finder.find(PUBLIC[name], name, module=False, globs=names):
        runner.run(example)
    assert runner.tries
    assert runner.failures == 0


def test_every_public_name_with_an_example_is_run() -> None:
    finder = doctest.DocTestFinder(exclude_empty=True)
    found = {
        name
        for name, thing in PUBLIC.items()
        if not isinstance(thing, coarsekit.Style)
        and any(example.examples for example in finder.find(thing, name, module=False, globs={}))
    }
    assert found == set(WITH_EXAMPLES)
