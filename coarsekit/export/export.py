"""Photographs → a folder that is a Hugging Face dataset: shards, a picture, the card; a broken-off export goes on."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from coarsekit.datasets.base import Dataset
from coarsekit.errors import LicenceError, OutputError, SourceError
from coarsekit.export.config import ExportConfig, Shard, configuration, provenance_text
from coarsekit.export.dataset_card import ExportContents, dataset_card, statistics
from coarsekit.export.shards import ShardContents, missing_reductions, read_shard_contents, some_pairs, write_shard
from coarsekit.images import write_image
from coarsekit.storage.files import write_text
from coarsekit.visualize.sheets import pair_sheet

CARD, PROVENANCE = "README.md", "provenance.json"


def export(
    dataset: Dataset,
    config: ExportConfig,
    folder: Path,
    jobs: int = 1,
    force: bool = False,
    advance: Callable[[int], None] = lambda _: None,
) -> list[dict[str, Any]]:
    """Write the pairs of a dataset into a folder.

    Shards of the same choices that are there already are kept; the card comes last, so a folder with a card is whole.

    Args:
        dataset: The photographs and their fine masks.
        config: The choices of the export.
        folder: Where the files go.
        jobs: Processes, each of which writes whole shards.
        force: Whether to write over another export and among other files.
        advance: Called with the number of photographs just finished.

    Returns:
        The rows of the card's table: per configuration, split and lesion class the photographs, the pairs and the mean
        floor, IoU in percent.

    Raises:
        OutputError: When the folder has anything else and ``force`` is not set.
        SourceError: When no photograph has a lesion.
    """
    _claim(folder, provenance_text(dataset, config), force)
    shards = config.shards(dataset)
    todo = [shard for shard in shards if missing_reductions(config, shard, folder)]
    advance(sum(len(shard.keys) for shard in shards) - sum(len(shard.keys) for shard in todo))
    for photographs in _write(dataset, config, todo, folder, jobs):
        advance(photographs)
    written = _read_contents(config, shards, folder)
    if not any(contents.rows for contents in written.values()):
        raise SourceError(f"{dataset.title}: no photograph has a lesion to pair; export another split or dataset")
    write_image(folder / picture_name(dataset), _picture(dataset, config, shards, folder))
    write_text(folder / CARD, dataset_card(dataset, config, written, picture_name(dataset)))
    return statistics(written, dataset.lesions)


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


def _claim(folder: Path, text: str, force: bool) -> None:
    """Begin a new export, or go on with the same one; temporary files that a killed run left behind are removed."""
    record = folder / PROVENANCE
    found = record.read_text(encoding="utf-8", errors="replace") if record.exists() else None
    if force:
        for path in [*folder.glob("reduction-*/*.parquet"), folder / CARD, record]:
            path.unlink(missing_ok=True)
    elif found is None and folder.exists() and any(folder.iterdir()):
        raise OutputError(f"{folder} has other files; give force=True to write among them, or another folder")
    elif found is not None and found != text:
        raise OutputError(
            f"{folder} has another export (its {PROVENANCE} says of what and how); give force=True to write over "
            "it, or another folder"
        )
    for left in folder.glob("reduction-*/.*.part"):
        left.unlink(missing_ok=True)
    if force or found is None:
        write_text(record, text)


def _write(dataset: Dataset, config: ExportConfig, shards: list[Shard], folder: Path, jobs: int) -> Iterator[int]:
    """Write shards and give the number of photographs in each as it is done."""
    if jobs == 1 or len(shards) < 2:
        yield from (_written(dataset, config, shard, folder) for shard in shards)
        return
    from joblib import Parallel, delayed

    parallel = Parallel(n_jobs=min(jobs, len(shards)), backend="loky", return_as="generator_unordered")
    yield from parallel(delayed(_written)(dataset, config, shard, folder) for shard in shards)


def _written(dataset: Dataset, config: ExportConfig, shard: Shard, folder: Path) -> int:
    write_shard(dataset, config, shard, folder)
    return len(shard.keys)


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
