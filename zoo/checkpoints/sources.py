"""Which datasets a refiner was trained on: their names, licences and citations, as its records have them. No torch."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from coarsekit.datasets import READERS, reader
from coarsekit.datasets.base import Licence


@dataclass(frozen=True, slots=True)
class Source:
    """A dataset that it was trained on, as that dataset described itself then; see `Dataset.describe`."""

    name: str
    reader: str
    title: str
    licence: Licence
    citation: str


def sources(config: Mapping[str, Any], record: Mapping[str, Any]) -> list[Source]:
    """The datasets of all trainings that led to a refiner, the last training's first, each once.

    A record without them names its data in words; of these the public datasets are found by their readers.

    Args:
        config: What config.json has.
        record: What training.json has; empty where there is none.

    Returns:
        The datasets; none where nothing says which.
    """
    found: dict[Source, None] = {}
    texts = [config.get("trained_on", "")] if not record.get("source") else []
    for step in reversed(steps(record)):
        if described := step.get("source"):
            found[Source(**{**described, "licence": Licence(**described["licence"])})] = None
        else:
            texts.append(step.get("data", ""))
    return [*found, *(own for own in _public(texts) if own.name not in {one.name for one in found})]


def steps(record: Any) -> list[Mapping[str, Any]]:
    """Trainings in the order in which they were done: a record has the one that it started from."""
    return [*steps(record.get("parent")), record] if isinstance(record, Mapping) and record else []


def _public(texts: list[str]) -> Iterator[Source]:
    words = dict.fromkeys(word for text in texts for word in str(text).replace(",", " ").replace("+", " ").split())
    for name in words:
        if name in READERS:
            kind = reader(name)
            yield Source(name, name, kind.title, kind.licence, kind.citation)
