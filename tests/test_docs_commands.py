"""The command lines of the pages run as they stand, page by page, on small data under the names that the pages use.

Refining is done by the fastest refiner. What needs the Hub, a server or a training has tests of its own.
"""

import json
import shlex
from pathlib import Path

import pytest

from tests import command_line
from tests.annotators_folder import fill, painted
from tests.test_docs import PROGRAMS, command_lines
from tests.trees import TREES
from zoo.review.results import results_in

RUN = {
    "coarsekit": ("check", "preview", "simulate", "export", "convert", "calibrate"),
    "zoo": ("refine", "review", "apply-review", "consensus", "list"),
}
ELSEWHERE = ("--hub", "--annotator", "hub:", "pairs:", "org/", "ORG/")
"""What a command line has that needs the Hub, or a file of several annotators."""
NAMED = {"IMAGE": "image.png", "ANNOTATION": "ellipses.json"}


def to_run() -> list[tuple[str, list[str]]]:
    """Each page with its command lines that can be run, in order."""
    pages: dict[str, list[str]] = {}
    for page, line in command_lines():
        program, name, *_ = line.split()
        if name in RUN[program] and not any(each in line for each in ELSEWHERE):
            pages.setdefault(page, []).append(line)
    return list(pages.items())


def decide(results: Path) -> None:
    """What the review page lets somebody save who accepts the first mark of each photograph: decisions.json."""
    photographs = [
        {"record": result.name, **result.digests, "decisions": [{"mark": 0, "decision": "accept"}]}
        for result in results_in(results)[0]
    ]
    content = {"format": "coarsekit-review", "version": 1, "results_sha256": "0", "photographs": photographs}
    Path("decisions.json").write_text(json.dumps(content))


@pytest.mark.parametrize(("page", "lines"), to_run(), ids=lambda each: each if isinstance(each, str) else "")
def test_the_commands_of_a_page_run(page: str, lines: list[str], tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    fill(tmp_path, painted())
    TREES["folder" if any("folder:PATH" in line for line in lines) else "idrid"](Path("PATH"))
    for line in lines:
        program, name, *arguments = [NAMED.get(word, word) for word in shlex.split(line)]
        if name == "refine":
            arguments += ["--refiner", "shrink"]
        if name in ("refine", "simulate", "export"):
            arguments.append("--force")  # pages show one folder for several ways
        if name == "apply-review":
            decide(Path("masks"))
        result = command_line.run(PROGRAMS[program], name, *arguments)
        assert result.exit_code in ((0, 1) if name == "check" else (0,)), f"{page}: {line}: {result.output}"
