"""The decisions of a reviewer, as the page saves them: ``decisions.json``.

::

    {
      "format": "coarsekit-review", "version": 1, "results_sha256": "…",
      "photographs": [
        {
          "record": "left/a.json", "photograph_sha256": "…", "drawing_sha256": "…", "weights_sha256": "…",
          "masks_sha256": "…",
          "decisions": [{"mark": 0, "decision": "accept"}, {"mark": 4, "decision": "drawing"}]
        }
      ]
    }

``record``: the record's path below the folder of the results. ``mark``: the mark's place in it. A mark without a
decision is undecided. ``masks_sha256`` may be left out.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from coarsekit.errors import AnnotationError
from coarsekit.validation import validated
from zoo.review.results import DIGESTS, Result

FORMAT = "coarsekit-review"


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


class Decision(_Strict):
    """What was decided of a mark."""

    mark: Annotated[int, Field(ge=0)]
    decision: Literal["accept", "reject", "drawing"]


class PhotographDecisions(_Strict):
    """What was decided of the marks of a photograph, and of which results."""

    record: str
    photograph_sha256: str
    drawing_sha256: str
    weights_sha256: str
    masks_sha256: str | None = None
    decisions: list[Decision]

    def other_content(self, result: Result) -> str:
        """What differs between the results that were reviewed and these, in words; empty where nothing does."""
        given = {name: getattr(self, name) for name in DIGESTS}
        differing = [said for name, said in DIGESTS.items() if given[name] not in (None, result.digests[name])]
        return " and of ".join(differing)


class Decisions(_Strict):
    """All decisions of a file."""

    format: Literal["coarsekit-review"]
    version: Literal[1]
    results_sha256: str
    photographs: list[PhotographDecisions]


def read_decisions(path: Path) -> Decisions:
    """Read a file of decisions.

    Raises `AnnotationError` when it is missing or damaged, and when it decides a mark or a photograph twice; the
    sentence names the field.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise AnnotationError(f"{path}: no such file; give the decisions that the page saved") from None
    except (OSError, ValueError, RecursionError) as error:
        raise AnnotationError(f"{path}: cannot be read as JSON ({error}); save the decisions again") from None
    found = validated(Decisions, content, str(path))
    for record in _twice(one.record for one in found.photographs):
        raise AnnotationError(f"{path}: {record} is there twice; keep one")
    for one in found.photographs:
        for mark in _twice(decision.mark for decision in one.decisions):
            raise AnnotationError(f"{path}: mark {mark} of {one.record} is decided twice; keep one")
    return found


def decisions_on(
    results: Iterable[Result], decisions: Decisions, path: Path
) -> tuple[dict[str, dict[int, str]], list[tuple[str, str]]]:
    """The decisions on results.

    Args:
        results: The results of all photographs.
        decisions: What was decided.
        path: The file of the decisions, for errors.

    Returns:
        By the name of each result the decision by the place of the mark; and of each photograph whose decisions are of
        other content, its name and a sentence.

    Raises:
        AnnotationError: When a decision is on a mark that the results do not have.
    """
    known = {result.name: result for result in results}
    found: dict[str, dict[int, str]] = {}
    other = []
    for one in decisions.photographs:
        result = known.get(one.record)
        if result is None:
            other.append((one.record, f"{one.record}: there is no such result; its decisions are left out"))
            continue
        if said := one.other_content(result):
            other.append(
                (one.record, f"{one.record}: the decisions are of {said}, and are left out; review these results")
            )
            continue
        for decision in one.decisions:
            if decision.mark >= result.marks:
                raise AnnotationError(
                    f"{path}: {one.record} has no mark {decision.mark}, since it has {result.marks}; save the "
                    "decisions again"
                )
        found[one.record] = {decision.mark: decision.decision for decision in one.decisions}
    return found, other


def _twice(values: Iterable[str | int]) -> list[str | int]:
    """The values that are there more than once."""
    seen: set[str | int] = set()
    return [value for value in values if value in seen or seen.add(value)]  # type: ignore[func-returns-value]
