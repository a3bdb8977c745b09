"""What is said of a run's guesses: how marks without a size were taken, and what unknown or wrong labels stand for."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from coarsekit.images.depths import depth_note
from coarsekit.marks import CLICK, STROKE
from coarsekit.scale import MARKS, WIDTH
from zoo.marks.groups import BY_CONTENT, CONTRADICTION
from zoo.marks.result import Refined
from zoo.refiner import Refiner

_NAMED = 3
"""Photographs that are named; of more, their number."""


def notes_before(refiner: Refiner, lesions: Iterable[str]) -> list[str]:
    """A sentence when a refiner that is told classes does not know some of the ``lesions`` that were drawn."""
    unknown = [lesion for lesion in dict.fromkeys(lesions) if lesion not in refiner.lesions]
    if not refiner.lesions or not unknown:
        return []
    how = "as the class that their marks look like" if refiner.recognises else "without being told the class"
    return [
        f"{refiner.name or 'The refiner'} knows {', '.join(refiner.lesions)}: {', '.join(map(repr, unknown))} "
        f"{'is' if len(unknown) == 1 else 'are each'} refined {how}; if it is one of them, say so by "
        f"labels=…, such as {f'{unknown[0]}={refiner.lesions[0]}'!r}."
    ]


def notes_after(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """Sentences on what was seen in the marks.

    Args:
        records: Of each photograph, what its JSON file has.

    Returns:
        One on photographs whose scale was guessed, one on those whose depth was, one on marks that were taken as clicks
        or strokes, one on labels that were refined as what their marks look like, one on marks that look like the
        opposite of their label, and one on labels whose marks are often empty; none for what did not happen.
    """
    notes = [*notes_on_scales(records), *notes_on_depths(records), *_on_ways(records)]
    notes += [*_on_recognised(records), *_on_contradictions(records)]
    return notes + [f"{sentence}; keep_unlikely=True keeps the rest." for sentence in _on_empty(records)]


def notes_on_answer(image: str, result: Refined) -> list[str]:
    """Sentences on what was seen in the marks of one photograph, where nothing but the answer is at hand.

    Args:
        image: The photograph's name.
        result: What a refiner answered.

    Returns:
        One on labels that were refined as what their marks look like, one on marks that look like the opposite of their
        label, and one on labels whose marks are often empty; none for what did not happen.
    """
    records = [{"image": image, "masks": [{"lesion": lesion, **seen_in(result, lesion)} for lesion in result.masks]}]
    notes = [*_on_recognised(records), *_on_contradictions(records)]
    return notes + [f"{sentence}." for sentence in _on_empty(records)]


def seen_in(result: Refined, lesion: str) -> dict[str, Any]:
    """What the record of a lesion class says that was seen in its marks: ``refined_as`` and ``often_empty``."""
    taken = Counter((mark.refined_as, mark.why) for mark in result.marks if mark.lesion == lesion)
    return {
        "refined_as": [{"lesion": taken_as, "why": why, "marks": count} for (taken_as, why), count in taken.items()],
        "often_empty": lesion in result.often_empty,
    }


def notes_on_scales(records: Iterable[Mapping[str, Any]]) -> list[str]:
    """A sentence where no rim was seen, so that the scale is a guess.

    ``records``: of each photograph, ``image`` and ``scale_from``.
    """
    records = list(records)
    sentences = []
    for source, guess in ((MARKS, "the sizes of the marks"), (WIDTH, "the width, as of a whole photograph")):
        if named := [record["image"] for record in records if record.get("scale_from") == source]:
            where = named[0] if len(named) == 1 else f"{len(named)} photographs such as {named[0]}"
            sentences.append(
                f"No rim of the field of view was seen in {where}: the scale was taken from {guess}; field_of_view=… "
                "says it."
            )
    return sentences


def notes_on_depths(records: Iterable[Mapping[str, Any]]) -> list[str]:
    """A sentence on photographs of 16 bits whose values alone tell that the camera gave fewer.

    ``records``: of each photograph, ``image`` and ``depth_guessed``, as `coarsekit.images.depth_guessed` gives it.
    """
    records = list(records)
    guessed = sorted({record["depth_guessed"] for record in records if record.get("depth_guessed")})
    return [
        depth_note(depth, [record["image"] for record in records if record.get("depth_guessed") == depth])
        for depth in guessed
    ]


def _on_ways(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """Some of what was taken as a click or a stroke may have been a circle."""
    drawn = [mask.get("drawn_as", {}) for record in records for mask in record["masks"]]
    counts = [(sum(ways.get(way, 0) for ways in drawn), way) for way in (CLICK, STROKE)]
    named = " and ".join(f"{count} as {way}{'s'[: count != 1]}" for count, way in counts if count)
    return [f"Of the marks {named} were taken, which what is answered touches and may reach beyond."] if named else []


def _on_recognised(records: Sequence[Mapping[str, Any]]) -> list[str]:
    counts, _ = _counted(records, BY_CONTENT)
    if not counts:
        return []
    return [f"What marks look like says what to refine them as: {_listed(counts)}."]


def _on_contradictions(records: Sequence[Mapping[str, Any]]) -> list[str]:
    counts, photographs = _counted(records, CONTRADICTION)
    if not counts:
        return []
    where = ", ".join(photographs[:_NAMED]) if len(photographs) <= _NAMED else f"{len(photographs)} photographs"
    several = counts.total() > 1
    return [
        f"{counts.total()} mark{'s' * several} in {where} look{'s' * (not several)} like the opposite of the label and "
        f"{'were' if several else 'was'} refined as what is there: {_listed(counts)}; check "
        f"{'their labels' if several else 'the label'}."
    ]


def _on_empty(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """Labels whose marks often hold nothing that is sure."""
    masks = [(record["image"], mask) for record in records for mask in record["masks"]]
    named = [f"{mask['lesion']!r} in {image}" for image, mask in masks if mask.get("often_empty")]
    if not named:
        return []
    where = ", ".join(named[:_NAMED]) + (f" and {len(named) - _NAMED} more" if len(named) > _NAMED else "")
    return [
        f"Too many marks of {where} hold nothing that is sure, so only what is likely was answered there: check the "
        "marks"
    ]


def _counted(records: Sequence[Mapping[str, Any]], why: str) -> tuple[Counter[tuple[str, str]], list[str]]:
    """How many marks of each label were refined as each class for that reason, and on which photographs."""
    counts: Counter[tuple[str, str]] = Counter()
    photographs = []
    for record in records:
        own = [
            (mask["lesion"], taken)
            for mask in record["masks"]
            for taken in mask.get("refined_as", ())
            if taken["why"] == why
        ]
        for lesion, taken in own:
            counts[lesion, taken["lesion"]] += taken["marks"]
        if own:
            photographs.append(record["image"])
    return counts, photographs


def _listed(counts: Counter[tuple[str, str]]) -> str:
    return ", ".join(f"{count} of {label!r} as {taken_as}" for (label, taken_as), count in sorted(counts.items()))
