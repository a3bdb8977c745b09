"""What a graph says of itself: of which architecture it is, and, with weights in it, all that a checkpoint folder says.

It stands as JSON under `KEY` in the graph's metadata_props. No torch here, and no ONNX library.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from coarsekit.errors import RefinerError
from coarsekit.validation import validated
from zoo.checkpoints.folder import CONFIG, GRAPH, StoredConfig
from zoo.models.config import Config, FusedConfig
from zoo.variants import REFINING_VERSION

KEY = "coarsekit"
"""Under which metadata_props have what refining needs."""
GRAPH_FORMAT = 1
"""Version of graphs and what they say, which this code reads and writes."""
PREFIX = "network."
"""Before the name of a tensor in model.safetensors, the name of the graph's initializer."""
_OF_REFINING = {field.name for field in fields(Config)} - {"size"} | {"appearance"}
"""Fields of a configuration that no graph depends on."""
_METADATA = 14
"""The field metadata_props of a ModelProto, https://github.com/onnx/onnx/blob/main/onnx/onnx.proto."""


class Appearances(BaseModel):
    """An `zoo.models.appearance.Appearance` as JSON has it."""

    mean: list[list[float]]
    between_root: list[list[list[float]]]
    within_root: list[list[list[float]]]


class Whole(BaseModel):
    """What a file with weights in it has of its checkpoint folder.

    ``config``: all of config.json. ``doubt``: the model in doubt.json. ``appearance``: what the marks of the classes
    look like. ``photographs_seen``: digests of those that it was trained, validated or fitted on.
    ``refining_version``: what refined when it was exported.
    """

    config: dict[str, Any]
    doubt: dict[str, Any] | None = None
    appearance: Appearances | None = None
    photographs_seen: list[str] | None = None
    refining_version: int


class GraphRecord(BaseModel):
    """What a graph says of itself.

    ``architecture``: see `architecture_of`. ``weights``: the tensors that are filled in from model.safetensors;
    none where the file has them, which is then ``whole``.
    """

    format: int
    architecture: dict[str, Any]
    weights: list[str] = []
    whole: Whole | None = None


def architecture_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """The part of config.json that a graph depends on, by field.

    It is the variant, and every field of its configuration but those of how photographs are refined with its answers.
    """
    own = {name: value for name, value in config["config"].items() if name not in _OF_REFINING}
    return {"variant": config["variant"], **own}


def differing(record: GraphRecord, config: Mapping[str, Any]) -> str:
    """What config.json says otherwise than a graph, as words; empty where they agree.

    Fields that config.json leaves out have their defaults, as they had when the graph was made; and those that there
    were not yet when it was made have theirs.
    """
    own = {field.name: field.default for field in fields(FusedConfig)} | record.architecture
    found = [
        f"{name} {value!r} instead of {own.get(name)!r}"
        for name, value in architecture_of(config).items()
        if own.get(name) != value
    ]
    return ", ".join(found)


def check_graph_of(folder: Path, config: Mapping[str, Any], record: GraphRecord) -> None:
    """Check that the graph of a checkpoint folder, by what it says of itself, is of the network in config.json.

    Raises `RefinerError` when it is of another, or has weights of its own.
    """
    if record.weights and not (what := differing(record, config)):
        return
    path = folder / GRAPH
    why = f"is of another network than {folder / CONFIG} says: {what}" if record.weights else "has weights in it"
    raise RefinerError(f"{path}: {why}; make it again with zoo export-onnx {folder} --graph-only -o {path} --force")


def read_graph_record(graph: bytes, path: Path) -> GraphRecord:
    """What a graph, the content of the file ``path``, says of itself.

    Raises `RefinerError` when it is no ONNX file, is not of this zoo, or of another version.
    """
    try:
        text = dict(_metadata_props(graph)).get(KEY)
        content = None if text is None else json.loads(text)
    except (ValueError, IndexError, RecursionError):
        raise RefinerError(f"{path}: is damaged, or no ONNX file; copy it again, or export it again") from None
    if content is None:
        raise RefinerError(f"{path}: is no refiner of this zoo; make one with zoo export-onnx NAME -o FILE")
    if isinstance(content, dict) and content.get("format") != GRAPH_FORMAT:
        raise RefinerError(
            f"{path}: format {content.get('format')!r} is not {GRAPH_FORMAT}, which this version reads; export it "
            "again, or update coarsekit"
        )
    record = validated(GraphRecord, content, f"{path}: {KEY}", error=RefinerError)
    if record.whole is not None:
        validated(StoredConfig, record.whole.config, f"{path}: {KEY}: config", error=RefinerError)
        if record.whole.refining_version != REFINING_VERSION:
            raise RefinerError(
                f"{path}: was exported for version {record.whole.refining_version} of what refines, and this is "
                f"version {REFINING_VERSION}; export it again"
            )
    return record


def _metadata_props(message: bytes) -> Iterator[tuple[str, str]]:
    """The keys and values of metadata_props; `ValueError` or `IndexError` is raised for what is no ModelProto."""
    for field, value in _fields(message):
        if field == _METADATA:
            entry = dict(_fields(value))
            yield entry.get(1, b"").decode(), entry.get(2, b"").decode()


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """The fields of a message that have bytes, by the encoding of protocol buffers, with their numbers."""
    place = 0
    while place < len(message):
        key, place = _varint(message, place)
        match key & 7:
            case 0:
                _, place = _varint(message, place)
            case 1:
                place += 8
            case 2:
                length, place = _varint(message, place)
                if place + length > len(message):
                    raise ValueError("cut off")
                yield key >> 3, message[place : place + length]
                place += length
            case 5:
                place += 4
            case kind:
                raise ValueError(f"no wire type {kind}")


def _varint(message: bytes, place: int) -> tuple[int, int]:
    """The number at a place, and the place after it."""
    value = shift = 0
    while True:
        value |= (message[place] & 127) << shift
        shift += 7
        place += 1
        if message[place - 1] < 128:
            return value, place
