"""Photographs → a folder that is a Hugging Face dataset: shards, a picture, the card; what still holds is kept."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from coarsekit.datasets.base import Dataset
from coarsekit.datasets.readable import check_some_readable
from coarsekit.errors import LicenceError, SourceError
from coarsekit.export.config import ExportConfig, Shard, configuration
from coarsekit.export.dataset_card import ExportContents, dataset_card, statistics
from coarsekit.export.footer import PhotographDigests, shard_files
from coarsekit.export.provenance import PROVENANCE, claim_folder, provenance_text
from coarsekit.export.shards import ShardContents, changed_reductions, read_shard_contents, some_pairs, write_shard
from coarsekit.images import write_image
from coarsekit.storage.files import write_text
from coarsekit.storage.outputs import at_work
from coarsekit.visualize.sheets import pair_sheet

CARD = "README.md"

Done = tuple[Shard, tuple[float, ...], list[PhotographDigests], dict[str, str]]
"""A shard, the reduction factors to write it at, what its photographs are, and why others were left out, by key."""


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What `export` did.

    ``rows``: those of the card's table: per configuration, split and lesion class the photographs, the pairs and the
    mean floor, IoU in percent. ``made``, ``kept``: photographs whose pairs were made, or were there and still hold.
    ``failures``: photographs that cannot be used as they are and were left out, with the reason, by key.
    """

    rows: list[dict[str, Any]]
    made: int
    kept: int
    failures: Mapping[str, str] = field(default_factory=dict)


def export(
    dataset: Dataset,
    config: ExportConfig,
    folder: Path,
    jobs: int = 1,
    force: bool = False,
    advance: Callable[[int], None] = lambda _: None,
) -> ExportReport:
    """Write the pairs of a dataset into a folder.

    Shards of the same choices are kept where they are of the same content: photographs, masks, names of classes,
    licence, and the version of what draws and cuts. The others are written anew, and those of photographs that the
    dataset no longer has are removed. The card comes last, so a folder with a card is whole.

    Args:
        dataset: The photographs and their fine masks.
        config: The choices of the export.
        folder: Where the files go.
        jobs: Processes, each of which writes whole shards.
        force: Whether to write over another export and among other files, and to make all shards anew.
        advance: Called with the number of photographs just finished.

    Returns:
        What was made and kept, and the table.

    Raises:
        OutputError: When the folder has another export or other files and ``force`` is not set, when a file of others
            is in the way, when a shard is damaged, and when another export is at work there.
        SourceError: When no photograph has a lesion, or none can be read.
    """
    shards = config.shards(dataset)
    claim_folder(dataset, config, folder, files(dataset, config), force)
    with at_work(folder, "reduction-*"):
        if force:
            _begin(dataset, config, folder, ())
        compared = list(_in_processes(_compared, dataset, config, shards, folder, jobs))
        todo = [(shard, reductions) for shard, reductions, _, _ in compared if reductions]
        failures = {shard: failed for shard, _, _, failed in compared}
        named = {folder / shard.path(reduction) for shard in shards for reduction in config.reductions}
        if todo or not named.issuperset(shard_files(folder)):
            _begin(dataset, config, folder, named)
        photographs = {shard: found for shard, _, found, _ in compared}
        again = {shard for shard, _ in todo}
        advance(sum(len(shard.keys) for shard in shards if shard not in again))
        for shard, _, found, failed in _in_processes(_written, dataset, config, todo, folder, jobs):
            photographs[shard], failures[shard] = found, failed
            advance(len(shard.keys))
        left_out = {key: reason for shard in shards for key, reason in failures[shard].items()}
        check_some_readable(dataset, [key for shard in shards for key in shard.keys], left_out)
        written = _read_contents(config, shards, folder)
        if not any(contents.rows for contents in written.values()):
            raise SourceError(f"{dataset.title}: no photograph has a lesion to pair; export another split or dataset")
        write_text(folder / PROVENANCE, provenance_text(dataset, config, _by_split(config, dataset, photographs)))
        write_image(folder / picture_name(dataset), _picture(dataset, config, shards, folder))
        write_text(folder / CARD, dataset_card(dataset, config, written, picture_name(dataset)))
    made, kept = (
        sum(len(photographs[shard]) for shard in shards if (shard in again) is anew) for anew in (True, False)
    )
    return ExportReport(statistics(written, dataset.lesions), made, kept, left_out)


def check_licence(dataset: Dataset) -> None:
    """Raise `LicenceError` for a dataset that may not be passed on."""
    if not dataset.licence.redistribution:
        raise LicenceError(
            f"{dataset.title} may not be passed on (licence {dataset.licence.name}, {dataset.licence.url}); "
            "keep its pairs to yourself: give out=… and leave hub=… out"
        )


def files(dataset: Dataset, config: ExportConfig) -> list[str]:
    """All files of an export, relative to its folder."""
    shards = [shard.path(reduction) for shard in config.shards(dataset) for reduction in config.reductions]
    return [*shards, PROVENANCE, picture_name(dataset), CARD]


def picture_name(dataset: Dataset) -> str:
    """File name of the picture of pairs."""
    return f"{dataset.name}-coarse.jpg"


def _begin(dataset: Dataset, config: ExportConfig, folder: Path, named: Iterable[Path]) -> None:
    """Say by which choices the folder is being written, and remove the card and all shards but those ``named``."""
    write_text(folder / PROVENANCE, provenance_text(dataset, config))
    for path in [folder / CARD, *(set(shard_files(folder)) - set(named))]:
        path.unlink(missing_ok=True)


def _in_processes(
    work: Callable[[Dataset, ExportConfig, Path, Any], Done],
    dataset: Dataset,
    config: ExportConfig,
    items: list[Any],
    folder: Path,
    jobs: int,
) -> Iterator[Done]:
    """The results of ``work`` on each item, as it is done."""
    if jobs == 1 or len(items) < 2:
        yield from (work(dataset, config, folder, item) for item in items)
        return
    from joblib import Parallel, delayed

    parallel = Parallel(n_jobs=min(jobs, len(items)), backend="loky", return_as="generator_unordered")
    yield from parallel(delayed(work)(dataset, config, folder, item) for item in items)


def _compared(dataset: Dataset, config: ExportConfig, folder: Path, shard: Shard) -> Done:
    failures: dict[str, str] = {}
    return shard, *changed_reductions(dataset, config, shard, folder, failures.__setitem__), failures


def _written(dataset: Dataset, config: ExportConfig, folder: Path, item: tuple[Shard, tuple[float, ...]]) -> Done:
    shard, reductions = item
    failures: dict[str, str] = {}
    found = write_shard(dataset, config, shard, folder, reductions, failures.__setitem__)
    return shard, reductions, found, failures


def _by_split(
    config: ExportConfig, dataset: Dataset, photographs: dict[Shard, list[PhotographDigests]]
) -> dict[str, dict[str, dict[str, str]]]:
    """What all photographs that could be read are, by split and key, in the dataset's order."""
    found = {one["key"]: one for own in photographs.values() for one in own}
    return {
        split: {
            key: {name: found[key][name] for name in ("photograph_sha256", "masks_sha256")}
            for key in keys
            if key in found
        }
        for split, keys in config.photographs(dataset).items()
    }


def _read_contents(config: ExportConfig, shards: list[Shard], folder: Path) -> ExportContents:
    written = {(reduction, shard.split): ShardContents() for reduction in config.reductions for shard in shards}
    for reduction in config.reductions:
        for shard in shards:
            written[reduction, shard.split].add(read_shard_contents(folder / shard.path(reduction)))
    return written


def _picture(dataset: Dataset, config: ExportConfig, shards: list[Shard], folder: Path) -> Any:
    """A sheet of pairs from the first shard that has any."""
    for shard in shards:
        pairs = some_pairs(folder / shard.path(config.reductions[0]), dataset.lesions)
        if pairs:
            return pair_sheet(pairs)
    raise SourceError(f"{dataset.title}: no pair in {configuration(config.reductions[0])}")
