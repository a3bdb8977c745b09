"""What a refiner has seen in all trainings that led to it, by its records: photographs and lesion classes. No torch."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from coarsekit.datasets import READERS, reader
from zoo.checkpoints.folder import locate, read_record
from zoo.checkpoints.sources import steps


def photographs_seen(folder: Path) -> frozenset[str] | None:
    """The digests of the photographs that a refiner was trained, validated or fitted on, in all its trainings.

    None where a record does not say.

    Raises `RefinerError` when the record is malformed.
    """
    chain = steps(read_record(folder))
    if not chain or not all(_names(step, "training_images", "validation_images") for step in chain):
        return None
    return frozenset(digest for step in chain for digest in step["photograph_sha256"].values())


def photographs_trained_on(record: Mapping[str, Any]) -> frozenset[str] | None:
    """The digests of the photographs that any training of a record learned from, which none of it holds out.

    None where one of them does not say.
    """
    chain = steps(record)
    if not chain or not all("training_images" in step and _names(step, "training_images") for step in chain):
        return None
    return frozenset(step["photograph_sha256"][key] for step in chain for key in step["training_images"])


def learned_before(start: str) -> frozenset[str] | None:
    """`photographs_trained_on` of the refiner that a training starts from; empty where ``start`` names none."""
    return photographs_trained_on(read_record(locate(start))) if start else frozenset()


def classes_seen(folder: Path) -> tuple[str, ...] | None:
    """The lesion classes that a network was trained or validated on, by its record and those that it started from.

    Where a record does not name those that its photographs show, they are all that the data have. None where a record
    is missing, or does not say which those are.

    Raises `RefinerError` when the record is malformed.
    """
    seen: dict[str, None] = {}
    for step in reversed(steps(read_record(folder))):
        own = _classes(step)
        if own is None or _began_unknown(step):
            return None
        seen |= dict.fromkeys(own)
    return tuple(seen) or None


def _names(step: Mapping[str, Any], *lists: str) -> bool:
    """Whether a record has the digest of every photograph in some of its lists, and the record that it started from."""
    digests = step.get("photograph_sha256", {})
    return (
        bool(digests) and not _began_unknown(step) and all(digests.keys() >= set(step.get(name, ())) for name in lists)
    )


def _began_unknown(step: Mapping[str, Any]) -> bool:
    return bool((step.get("recipe") or {}).get("start")) and not step.get("parent")


def _classes(step: Mapping[str, Any]) -> list[str] | None:
    validated_on = [
        lesion for line in step.get("history", ()) for own in (line.get("validation") or {}).values() for lesion in own
    ]
    named = (step.get("recipe") or {}).get("only_lesions") or ()
    if step.get("training_lesions") is not None:
        return [*named, *step["training_lesions"], *validated_on]
    if named:
        return list(named)
    kind = (step.get("source") or {}).get("reader", "folder")  # a folder's classes are its owner's
    return [*reader(kind).lesions, *validated_on] if kind in READERS and kind != "folder" else None
