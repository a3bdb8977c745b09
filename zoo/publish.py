"""A checkpoint folder as it goes to the Hub: its files, and the card made of them."""

import shutil
from pathlib import Path

from coarsekit.errors import RefinerError
from coarsekit.storage.files import write_text
from zoo.cards.model_card import NOTHING, card_text
from zoo.checkpoints.folder import (
    CARD,
    CONFIG,
    DOUBT,
    GRAPH,
    METRICS,
    NOTES,
    RECORD,
    WEIGHTS,
    read_config,
    read_record,
    weights_sha256,
)
from zoo.checkpoints.metrics import read_metrics
from zoo.evaluation.measures import CARD_SENTENCES
from zoo.marks.doubt import read_doubt
from zoo.onnx.metadata import check_graph_of, read_graph_record
from zoo.variants import variant_named


def card_of_folder(folder: Path, name: str, place: str = "", measured: bool = True) -> str:
    """The card of a checkpoint folder; see `card_text`. ``measured``: with the metrics of its metrics.json.

    Raises `RefinerError` when config, record, metrics or notes are malformed.
    """
    try:
        notes = (folder / NOTES).read_text(encoding="utf-8") if (folder / NOTES).exists() else ""
    except (OSError, UnicodeDecodeError) as cause:
        raise RefinerError(f"{folder / NOTES}: cannot be read ({cause}); save it as UTF-8") from None
    metrics = read_metrics(folder) if measured else NOTHING
    return card_text(name, read_config(folder), read_record(folder), metrics, notes, place, CARD_SENTENCES)


def stage(folder: Path, to: Path, card: str, measured: bool = True) -> list[str]:
    """Copy what the Hub shall have of a checkpoint folder, with its card; no expectation that is of other weights.

    Args:
        folder: The checkpoint folder.
        to: An empty folder.
        card: The text of the card.
        measured: Whether metrics.json goes with it.

    Returns:
        The names of the files, the card last.

    Raises:
        RefinerError: When config, weights or record are missing, or the graph for ONNX Runtime is of another network.
    """
    weights = [WEIGHTS] if variant_named(read_config(folder)["variant"]).is_network else []
    needed, optional = [CONFIG, *weights, RECORD], [*([METRICS] if measured else []), NOTES, GRAPH]
    if read_doubt(folder, weights_sha256(folder))[0] is not None:
        optional.append(DOUBT)
    for name in needed:
        if not (folder / name).is_file():
            raise RefinerError(
                f"{folder}: {name} is missing; copy the folder again, or train with 'zoo train', which writes it"
            )
    if (graph := folder / GRAPH).is_file():
        check_graph_of(folder, read_config(folder), read_graph_record(graph.read_bytes(), graph))
    files = [*needed, *(name for name in optional if (folder / name).is_file())]
    for name in files:
        shutil.copyfile(folder / name, to / name)
    write_text(to / CARD, card)
    return [*files, CARD]
