"""A checkpoint folder as it goes to the Hub: its files, and the card made of them."""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from coarsekit.errors import RefinerError
from coarsekit.files import write_text
from coarsekit.readers import names as readers
from coarsekit.readers import reader
from zoo.bundled import CARD, CONFIG, METRICS, NOTES, RECORD, WEIGHTS, has_weights, read_config, read_record
from zoo.hub.cards import Source, Subject, model_card
from zoo.hub.measured import Metrics, read_metrics
from zoo.variants import about

NOTHING = Metrics()

_RULES = {
    "shrink": "the image-blind rule: every ellipse shrunk about its centre by a fitted amount.",
    "otsu": "inside each ellipse, what lies beyond the threshold that parts its pixels best (Otsu, 1979).",
    "grabcut": "two mixtures of Gaussians and a minimal cut, from certain pixels (Rother et al., SIGGRAPH 2004).",
    "random-walker": "the chance that a walk from a pixel meets certain lesion first (Grady, PAMI 2006).",
}


def card_of_folder(folder: Path, name: str, place: str = "", measured: bool = True) -> str:
    """The card of a checkpoint folder; ``place``: what `from_pretrained` will take.

    ``measured``: with the metrics of its metrics.json. The same files give the same text.

    Raises `RefinerError` when config, record or metrics are malformed.
    """
    notes = (folder / NOTES).read_text(encoding="utf-8") if (folder / NOTES).exists() else ""
    metrics = read_metrics(folder) if measured else NOTHING
    return card_text(name, read_config(folder), read_record(folder), metrics, notes, place)


def card_text(
    name: str,
    config: Mapping[str, Any],
    record: Mapping[str, Any],
    metrics: Metrics = NOTHING,
    notes: str = "",
    place: str = "",
) -> str:
    """The card of a refiner from what its files hold; one without a ``name`` is called after its variant."""
    variant = config["variant"]
    sentence = about(variant) if has_weights(variant) else _RULES.get(variant, "a rule without a network.")
    title = name.rstrip("/").rpartition("/")[2] or variant
    place = place or name or "ORG/NAME"
    return model_card(
        Subject(
            title,
            place,
            config,
            record,
            metrics.rows,
            sentence,
            notes,
            list(_sources(config, record)),
            metrics.robustness,
        )
    )


def stage(folder: Path, to: Path, card: str, measured: bool = True) -> list[str]:
    """Copy what the Hub shall hold of a checkpoint folder to an empty one, with its card; gives the files' names.

    Raises `RefinerError` when config, weights or record are missing.
    """
    weights = [WEIGHTS] if has_weights(read_config(folder)["variant"]) else []
    needed, optional = [CONFIG, *weights, RECORD], [*([METRICS] if measured else []), NOTES]
    for name in needed:
        if not (folder / name).is_file():
            raise RefinerError(f"{folder}: {name} is missing; a checkpoint as 'zoo train' writes it has one")
    files = [*needed, *(name for name in optional if (folder / name).is_file())]
    for name in files:
        shutil.copyfile(folder / name, to / name)
    write_text(to / CARD, card)
    return [*files, CARD]


def _sources(config: Mapping[str, Any], record: Mapping[str, Any]) -> Iterator[Source]:
    """The datasets of all trainings that led to it, as their readers know them."""
    texts, step = [str(config.get("trained_on", ""))], record
    while isinstance(step, Mapping) and step:
        texts.append(str(step.get("data", "")))
        step = step.get("before") or {}
    words = dict.fromkeys(word for text in texts for word in text.replace(",", " ").replace("+", " ").split())
    for name in words:
        if name in readers():
            kind = reader(name)
            yield Source(name, kind.title, kind.licence, kind.citation)
