"""Networks to ONNX: a whole file, or the graph alone, which takes its weights from model.safetensors."""

import json
import warnings
from dataclasses import asdict
from typing import Any, final

import torch
from torch import Tensor, nn

from coarsekit.errors import RefinerError
from zoo.checkpoints.sources import sources
from zoo.models.base import Network
from zoo.onnx.metadata import GRAPH_FORMAT, KEY, PREFIX, Appearances, GraphRecord, Whole, architecture_of
from zoo.onnx.network import INPUTS, OUTPUT
from zoo.variants import REFINING_VERSION

OPSET = 20
"""The version of ONNX's operators that graphs use: of ONNX 1.15, which ONNX Runtime reads from 1.17 on."""


@final
class ExportedNetwork(nn.Module):
    """What a graph computes: the probability of lesion for patches, each with its class and signature."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor, coarse: Tensor, lesion: Tensor, signature: Tensor) -> Tensor:
        """Arguments as of `Network.forward`, none of them missing."""
        return self.network(image, coarse, lesion, signature).sigmoid()


def export_program(network: Network) -> torch.export.ExportedProgram:
    """The network as ``torch.export`` has it, in evaluation mode, for batches of any size.

    Raises `RefinerError` for a network that takes steps which depend on what it sees.
    """
    if network.uses_prototypes:
        raise RefinerError(
            f"{network.name or network.variant} cannot be exported, since its prototypes are of whole photographs; "
            "refine with torch, or export one with photograph_prototypes=false"
        )
    size, two = network.config.size, 2  # not one, for which the steps could be others
    example = (
        torch.linspace(0, 1, two * 3 * size * size).reshape(two, 3, size, size),
        torch.ones(two, 1, size, size),
        torch.tensor([0, -1]),
        torch.ones(two, 3),
    )
    batch = torch.export.Dim("batch", min=1)
    try:
        return torch.export.export(
            ExportedNetwork(network).eval(), example, dynamic_shapes=tuple({0: batch} for _ in example)
        )
    except Exception as cause:  # every layer fails in a way of its own
        reason = " ".join(str(cause).split())[:200]
        raise RefinerError(
            f"{network.name or network.variant} cannot be exported ({reason}); refine with torch"
        ) from None


def export_onnx(network: Network, graph_only: bool = False) -> bytes:
    """The network as the content of an ONNX file, for batches of any size.

    Args:
        network: A network, which is put in evaluation mode.
        graph_only: Whether the weights are left out, and only named; ONNX Runtime is then given them.

    Returns:
        The file. Inputs and output are those of `zoo.onnx.network.INPUTS`; its metadata have, under `KEY`, all that
        refining photographs with it needs.

    Raises:
        RefinerError: For a network that cannot be exported.
        ModuleNotFoundError: Without the packages of the extra ``export-onnx``.
    """
    import onnx
    from onnxscript import optimizer

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter's own parts
        program = torch.onnx.export(
            export_program(network),
            (),
            input_names=INPUTS,
            output_names=[OUTPUT],
            opset_version=OPSET,
            dynamo=True,
            optimize=False,
            verbose=False,
        )
    if program is None:
        raise RefinerError(f"{network.name or network.variant} cannot be exported; refine with torch")
    optimizer.fold_constants(program.model)
    _without_zero_biases(program.model.graph)
    optimizer.remove_unused_nodes(program.model)
    model = program.model_proto
    onnx.checker.check_model(model)
    _lighten(model.graph)
    names = set(network.state_dict())
    left_out = []
    if graph_only:
        for tensor in model.graph.initializer:
            name = tensor.name.removeprefix(PREFIX)
            if name in names and tensor.data_type == onnx.TensorProto.FLOAT:
                left_out.append(name)
                tensor.ClearField("raw_data")
                tensor.data_location = onnx.TensorProto.EXTERNAL
                tensor.external_data.add(key="location", value="weights")
    onnx.helper.set_model_props(model, _properties(network, left_out, graph_only))
    return bytes(model.SerializeToString())


def _without_zero_biases(graph: Any) -> None:
    """Take the biases that torch's exporter computes as 0 from convolutions that have none.

    ONNX Runtime folds batch normalisations into convolutions only where biases are constant.
    """
    for node in graph:
        bias = node.inputs[2] if node.op_type in ("Conv", "ConvTranspose") and len(node.inputs) == 3 else None
        expand = None if bias is None else bias.producer()
        cast = None if expand is None or expand.op_type != "Expand" else expand.inputs[0].producer()
        if cast is None or cast.op_type != "CastLike":
            continue
        value = cast.inputs[0].const_value
        if value is not None and not value.numpy().any():
            node.replace_input_with(2, None)


def _lighten(graph: Any) -> None:
    """Drop what only says where in the code each step comes from, and name the axis whose length is free."""
    del graph.value_info[:]
    for part in (*graph.node, *graph.initializer, *graph.input, *graph.output):
        part.doc_string = ""
        del part.metadata_props[:]
    for value in (*graph.input, *graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"


def _properties(network: Network, left_out: list[str], graph_only: bool) -> dict[str, str]:
    """What a file says of itself: for programs under `KEY`, and for people."""
    config = network.describe()
    architecture = json.loads(json.dumps(architecture_of(config)))  # with lists for tuples
    if graph_only:
        record = GraphRecord(format=GRAPH_FORMAT, architecture=architecture, weights=left_out)
        return {KEY: record.model_dump_json(exclude_none=True)}
    look, seen = network.class_appearance, network.photographs_seen
    arrays = {} if look is None else {name: array.tolist() for name, array in vars(look).items()}
    whole = Whole(
        config=config,
        doubt=None if network.doubt is None else asdict(network.doubt),
        appearance=Appearances(**arrays) if arrays else None,
        photographs_seen=None if seen is None else sorted(seen),
        refining_version=REFINING_VERSION,
    )
    record = GraphRecord(format=GRAPH_FORMAT, architecture=architecture, whole=whole)
    data = sources(config, network.record)
    return {
        KEY: record.model_dump_json(exclude_none=True),
        "lesions": ", ".join(network.lesions),
        "trained_on": network.trained_on,
        "licence": "; ".join(f"{source.title}: {source.licence.name}, {source.licence.url}" for source in data),
        "citation": "; ".join(source.citation for source in data if source.citation),
    }
