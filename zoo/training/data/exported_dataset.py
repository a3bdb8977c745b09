"""Training on an exported dataset: its patches, its photographs held out, and validation over patches."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby, islice
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from coarsekit.errors import ParameterError, SourceError
from coarsekit.export.schema import pair_of
from coarsekit.metrics import count, iou
from zoo.checkpoints.seen import learned_before
from zoo.models.base import Network
from zoo.models.patches import BATCH
from zoo.training.data.exported_pairs import FixedPairs, RowTransform, StreamedPairs, resized
from zoo.training.data.pair_transform import pair_transform
from zoo.training.distributed.devices import Devices
from zoo.training.exported_source import Export, followed
from zoo.training.recipe import Recipe, hold_out
from zoo.training.validation import Scored, Validation, at_thresholds, summary


@final
class Exported:
    """The pairs of an export, split by photograph: no photograph has pairs both to train and to validate on.

    ``cache``: where a folder's rows are unpacked to; a stream's are not kept. See `TrainingSource`.

    Raises `ParameterError` for what an export cannot do: another style, a reduction factor or lesion class that it does
    not have, ``negatives``, ``synthetic``, and of a stream ``balance``; and what `Export` raises.
    """

    def __init__(self, export: Export, split: str, recipe: Recipe, cache: Path) -> None:
        _check(export, recipe)
        self._style = export.style
        keys = export.keys(split)
        self.photograph_sha256 = export.photographs(split)
        self.content = {"pairs_sha256": {export.name: export.content_sha256(split, recipe.reductions)}}
        self._streamed, self._place = export.streamed, export.place
        self._rows = export.rows(split, recipe.reductions, cache)
        known = ("photograph", "lesion")
        if export.streamed:  # these columns alone are little to fetch
            columns = export.rows(split, recipe.reductions, cache, known)
            index, features = followed(columns, export.place), columns.features
        else:
            index, features = self._rows.select_columns(list(known)), self._rows.features
        self._lesions: tuple[str, ...] = tuple(features["lesion"].names)
        for lesion in recipe.only_lesions:
            if lesion not in self._lesions:
                raise ParameterError(
                    f"{export.place} has no lesion class {lesion!r}; it has {', '.join(self._lesions)}"
                )
        self._classes = {self._lesions.index(lesion) for lesion in recipe.only_lesions or self._lesions}
        self._index = [(row["photograph"], row["lesion"]) for row in index]
        known_keys, numbers = set(keys), range(len(self._lesions))
        for key, number in self._index:
            if key not in known_keys or number not in numbers:
                raise SourceError(
                    f"{export.place}: a pair of the photograph {key!r} with the lesion number {number} is not of this "
                    "export; export the pairs again"
                )
        shown = {key for key, kind in self._index if kind in self._classes}
        learned = learned_before(recipe.start) or ()
        training, held_out = hold_out(
            keys, recipe.validation, recipe.seed, shown.__contains__, self.photograph_sha256, learned
        )
        self.training_keys, self.validation_keys = list(training), list(held_out)
        trained = {kind for key, kind in self._index if key in set(training) and kind in self._classes}
        self.training_lesions = [self._lesions[kind] for kind in sorted(trained)]

    def pairs(self, recipe: Recipe, network: Network, devices: Devices) -> FixedPairs | StreamedPairs:
        """See `TrainingSource.pairs`."""
        transform = RowTransform(self._lesions, pair_transform(recipe, network))
        places = self._places(self.training_keys)
        if self._streamed:
            stream, share = self._stream(self.training_keys), (devices.rank, devices.world_size)
            return StreamedPairs(stream, self._place, len(places), transform, recipe.samples, recipe.batch, *share)
        return FixedPairs(self._rows, places, transform, recipe.samples, recipe.balance)

    def appearance(self, recipe: Recipe, lesions: Sequence[str]) -> dict[int, list[NDArray[np.float64]]]:
        """See `TrainingSource.appearance`; pairs do not show it."""
        raise ParameterError(
            "what the marks of a class look like is measured on whole photographs, which an export lacks; leave the "
            "field appearance out"
        )

    def validate(self, network: Network, devices: Devices) -> Validation:
        """The mean IoU over the patches of each class, at the network's size; the processes share the patches."""
        rows: Iterable[Mapping[str, Any]]
        if self._streamed:
            rows = followed(self._stream(self.validation_keys), self._place)
        else:
            rows = (self._rows[place] for place in self._places(self.validation_keys))
        scores = devices.map_over_ranks(lambda chunk: self._score(network, chunk), _chunks(rows))
        return summary([score for own in scores for score in own])

    def _score(self, network: Network, rows: Sequence[Mapping[str, Any]]) -> list[Scored]:
        pairs = [pair_of(row, self._lesions) for row in rows]
        images, coarse, fine = zip(*(resized(pair, network.config.size) for pair in pairs), strict=True)
        patches = np.divide(np.stack(images).transpose(0, 3, 1, 2), 255, dtype=np.float32)
        drawn = np.stack(coarse)[:, None].astype(np.float32)
        lesion = pairs[0].lesion
        found = network.patch_probabilities(patches, drawn, lesion)[:, 0]
        return [
            Scored(self._style, lesion, at_thresholds(probability, truth), iou(count(mask, truth)))
            for probability, mask, truth in zip(found, coarse, fine, strict=True)
        ]

    def _places(self, keys: Sequence[str]) -> list[int]:
        """Places among the rows of the pairs of some photographs."""
        wanted, classes = set(keys), self._classes
        return [place for place, (key, kind) in enumerate(self._index) if key in wanted and kind in classes]

    def _stream(self, keys: Sequence[str]) -> Any:
        wanted = partial(_is_wanted, frozenset(keys), frozenset(self._classes))
        return self._rows.filter(wanted, input_columns=["photograph", "lesion"])


def _is_wanted(keys: frozenset[str], classes: frozenset[int], key: str, kind: int) -> bool:
    return key in keys and kind in classes  # a function of the module, which a worker process can be given


def _check(export: Export, recipe: Recipe) -> None:
    if recipe.styles != (export.style,):
        raise ParameterError(
            f"{export.place} was drawn in the style {export.style}, and the recipe has {', '.join(recipe.styles)}; set "
            f"styles={export.style}"
        )
    for name in ("negatives", "synthetic"):
        if getattr(recipe, name):
            raise ParameterError(f"{name} pairs need whole photographs, which an export lacks; set {name}=0")
    if export.streamed and recipe.balance:
        raise ParameterError(
            "a stream cannot be balanced; leave the parameter balance out, or download the export and name its folder"
        )


def _chunks(rows: Iterable[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    """Neighbouring rows of one lesion class, a few at a time."""
    for _, own in groupby(rows, key=lambda row: row["lesion"]):
        while chunk := list(islice(own, BATCH)):
            yield chunk
