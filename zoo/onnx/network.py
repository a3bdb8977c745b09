"""A network that ONNX Runtime computes: the answers of the network in torch, with at most 1e-4 between them.

No torch here: what it is made of are the graph, the weights as arrays, and the configuration.
"""

import os
from collections.abc import Mapping
from dataclasses import fields
from hashlib import sha256
from pathlib import Path
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray

from coarsekit.errors import RefinerError
from coarsekit.validation import validated
from zoo.checkpoints.arrays import read_arrays
from zoo.checkpoints.folder import GRAPH, WEIGHTS, read_config
from zoo.marks.doubt import doubt_model
from zoo.models.appearance import Appearance
from zoo.models.config import FusedConfig
from zoo.models.layers.matched_filter import deviations
from zoo.models.patchwise import PatchwiseRefiner
from zoo.onnx.metadata import PREFIX, check_graph_of, read_graph_record

INPUTS, OUTPUT = ("image", "coarse", "lesion", "signature"), "probability"
"""Names in a graph: image (b, 3, s, s) float32 in 0–1, coarse (b, 1, s, s) float32 of 0 and 1, lesion (b,) int64, the
index of the class or −1, signature (b, 3) float32; and probability (b, 1, s, s) float32."""
_APPEARANCE = "appearance."
"""Before the names of the tensors that an `Appearance` is made of."""


@final
class OnnxNetwork(PatchwiseRefiner):
    """A network of any variant, on the processor.

    ``graph``: the content of an ONNX file. ``weights``: what is filled in for initializers that the graph only names.
    ``config``: what config.json has. ``path``: the file, for errors.
    """

    engine = "onnx"
    config: FusedConfig

    def __init__(
        self,
        graph: bytes,
        weights: Mapping[str, NDArray[np.float32]],
        config: Mapping[str, Any],
        appearance: Appearance | None,
        path: Path,
    ) -> None:
        known = {field.name for field in fields(FusedConfig)}
        own = {name: value for name, value in config["config"].items() if name in known}
        self.config = validated(FusedConfig, own, str(path), error=RefinerError, strict=False)
        self.variant = config["variant"]  # type: ignore[misc] # that of the network, not of a class
        self.trained_on = config.get("trained_on", "")
        self._graph, self._weights, self._appearance, self._path = graph, weights, appearance, path
        self._session = _session(graph, weights, path, _threads())

    @classmethod
    def load(cls, folder: Path, name: str = "") -> Self:
        """Read a network from a checkpoint folder that has a graph beside its weights.

        Raises `RefinerError` when it has none, when it is of another architecture, and when either is damaged.
        """
        config, path = read_config(folder), folder / GRAPH
        if not path.is_file():
            raise RefinerError(
                f"{folder} has no {GRAPH} for ONNX Runtime; where torch is installed, make a file to refine with: "
                f"zoo export-onnx {folder} -o FILE.onnx"
            )
        graph = _read(path)
        record = read_graph_record(graph, path)
        check_graph_of(folder, config, record)
        config["config"] = record.architecture | config["config"]
        arrays = read_arrays(folder)
        for missing in sorted(set(record.weights) - arrays.keys()):
            raise RefinerError(
                f"{folder / WEIGHTS}: the tensor {missing} is missing; weights and {GRAPH} must belong together"
            )
        appearance = {key.removeprefix(_APPEARANCE): arrays[key] for key in arrays if key.startswith(_APPEARANCE)}
        refiner = cls(
            graph,
            {key: arrays[key] for key in record.weights},
            config,
            _appearance(appearance, folder / WEIGHTS),
            path,
        )
        refiner.name = name or str(folder)
        return refiner

    @classmethod
    def load_file(cls, path: Path) -> Self:
        """Read a network from a file that ``zoo export-onnx`` wrote, which needs nothing beside it.

        Raises `RefinerError` when it is none, or is damaged.
        """
        graph = _read(path)
        whole = read_graph_record(graph, path).whole
        if whole is None:
            raise RefinerError(f"{path}: has no weights in it; name its folder, {path.parent}")
        look = None if whole.appearance is None else whole.appearance.model_dump()
        refiner = cls(graph, {}, whole.config, _appearance(look or {}, path), path)
        refiner.name = str(path)
        refiner.weights_sha256 = sha256(graph).hexdigest()
        refiner.photographs_seen = None if whole.photographs_seen is None else frozenset(whole.photographs_seen)
        refiner.doubt = None if whole.doubt is None else doubt_model(whole.doubt, f"{path}: doubt")
        return refiner

    @property
    def lesions(self) -> tuple[str, ...]:
        return self.config.lesions

    @property
    def uses_signature(self) -> bool:
        return self.config.matched_filter

    @property
    def class_appearance(self) -> Appearance | None:
        return self._appearance

    def patch_probabilities(
        self,
        image: NDArray[np.float32],
        coarse: NDArray[np.float32],
        lesion: str = "",
        signature: NDArray[np.float32] | None = None,
        prototype: NDArray[np.float32] | None = None,  # none: networks with those of photographs are not exported
    ) -> NDArray[np.float32]:
        if signature is None:
            signature = deviations(image, coarse) if self.uses_signature else np.zeros(3, np.float32)
        signatures = np.broadcast_to(signature, (len(image), 3))
        classes = np.full(len(image), self.class_index(lesion))
        mirrored: list[tuple[int, ...]] = [(), (-1,), (-2,), (-2, -1)][: self.config.tta_views]
        views = []
        for axes in mirrored:
            inputs = (np.flip(image, axes), np.flip(coarse, axes), classes, signatures)
            given = {name: np.ascontiguousarray(array) for name, array in zip(INPUTS, inputs, strict=True)}
            views.append(np.flip(self._session.run([OUTPUT], given)[0], axes))
        return np.mean(views, axis=0, dtype=np.float32)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_session"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """In another process, which shares the processor with its like: on one thread."""
        vars(self).update(state)
        self._session = _session(self._graph, self._weights, self._path, threads=1)


def _session(graph: bytes, weights: Mapping[str, NDArray[np.float32]], path: Path, threads: int) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4  # what goes wrong is raised
    values = [onnxruntime.OrtValue.ortvalue_from_numpy(array) for array in weights.values()]
    try:
        options.add_external_initializers([PREFIX + name for name in weights], values)
        return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except Exception as cause:  # each status is a class of its own, without a common base
        reason = " ".join(str(cause).split())
        raise RefinerError(f"{path}: ONNX Runtime cannot use it ({reason}); export it again") from None


def _threads() -> int:
    """As many as OMP_NUM_THREADS says, as for torch; else as there are cores for this process."""
    said = os.environ.get("OMP_NUM_THREADS", "")
    if said.isdecimal() and int(said):
        return int(said)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as cause:
        raise RefinerError(f"{path}: cannot be read ({cause.strerror}); check the path and its rights") from None


def _appearance(arrays: Mapping[str, Any], path: Path) -> Appearance | None:
    """The appearance of the classes from its arrays, by name; None where there are none."""
    if not arrays:
        return None
    try:
        return Appearance(**{name: np.asarray(array, np.float64) for name, array in arrays.items()})
    except (TypeError, ValueError):
        raise RefinerError(f"{path}: the appearance of the classes is damaged; copy it again") from None
