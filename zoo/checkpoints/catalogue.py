"""The refiners that are ready to use: bundled with the package, and in the Hub's cache. No torch here."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from coarsekit.errors import RefinerError
from zoo.checkpoints.folder import BUNDLED, list_refiners, locate, read_config, read_record
from zoo.checkpoints.metrics import human_iou, read_metrics


def catalogue() -> list[dict[str, Any]]:
    """A `catalogue_entry` for every refiner that needs no connection, bundled ones first."""
    bundled = [catalogue_entry(name, locate(BUNDLED + name)) | {"place": "bundled"} for name in list_refiners()]
    return bundled + [catalogue_entry(name, folder) | {"place": "cached"} for name, folder in cached()]


def catalogue_entry(name: str, folder: Path) -> dict[str, Any]:
    """Variant, size in MB, training data, and IoU in percent: None where the folder does not say.

    ``validation_iou``: the mean over styles and lesion classes on photographs held out of training. ``test_iou``: see
    `human_iou`.

    Raises `RefinerError` when there is no refiner in the folder, or a newer one.
    """
    config, record = read_config(folder), read_record(folder)
    try:
        measured = human_iou(read_metrics(folder).rows)
    except RefinerError:
        measured = None  # of other weights
    return {
        "refiner": name,
        "variant": config["variant"],
        "megabytes": round(sum(path.stat().st_size for path in folder.iterdir()) / 1e6, 1),
        "trained_on": str(config.get("trained_on", "")),
        "validation_iou": record.get("best_validation_iou"),
        "test_iou": measured,
    }


def cached() -> Iterator[tuple[str, Path]]:
    """Names and folders of the refiners in the Hub's cache; ``ORG/NAME@REVISION`` for what is not its main branch."""
    from huggingface_hub import constants, scan_cache_dir
    from huggingface_hub.errors import CacheNotFound

    try:
        repositories = scan_cache_dir(constants.HF_HUB_CACHE).repos
    except CacheNotFound:
        return
    for repository in sorted(repositories, key=lambda each: each.repo_id):
        if repository.repo_type != "model":
            continue
        for revision in sorted(repository.revisions, key=lambda each: ("main" not in each.refs, each.commit_hash)):
            if _ours(revision.snapshot_path):
                main = "main" in revision.refs
                called = min(revision.refs, default=revision.commit_hash)
                yield repository.repo_id + ("" if main else f"@{called}"), revision.snapshot_path


def _ours(folder: Path) -> bool:
    try:
        config = read_config(folder)
        read_record(folder)
    except RefinerError:
        return False
    return "trained_on" in config
