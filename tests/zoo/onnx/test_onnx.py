"""Networks as ONNX graphs: the answers of torch, without torch."""

import json
import pickle
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from click.testing import CliRunner
from numpy.typing import NDArray

import coarsekit
import zoo
from coarsekit.errors import CoarsekitError, ParameterError, RefinerError
from coarsekit.images import read_mask
from coarsekit.types import Annotation, Fundus
from coarsekit.windows import bounding_boxes, windows_around
from tests.few_lesions import write_few_lesions
from zoo.checkpoints.folder import CONFIG, GRAPH, WEIGHTS
from zoo.cli.main import main
from zoo.models.base import Network, build, network_class
from zoo.models.signature import photograph_signature, window_arrays
from zoo.onnx import network as onnx_network
from zoo.onnx.export import ExportedNetwork, export_onnx, export_program
from zoo.onnx.metadata import KEY
from zoo.onnx.network import INPUTS, OUTPUT, OnnxNetwork

BUNDLED = Path(zoo.__file__).parent / "weights"
NAMES = tuple(sorted(path.parent.name for path in BUNDLED.glob(f"*/{WEIGHTS}")))
JUMPING = "proto-superpixel"
"""Its superpixels jump: a pixel that is as near to one as to the other can go to either."""
PIXELS_THAT_DIFFER, PIXELS_THAT_JUMP = 0.001, 0.01
"""Shares of a mask's pixels: on the sample, and of `JUMPING` as much as `tests.zoo.test_golden_masks` allows."""


@cache
def drawn_sample() -> tuple[Fundus, Annotation]:
    """A photograph of the sample, and ellipses on it."""
    fundus = coarsekit.open_source("sample").read("IDRiD_46")
    return fundus, coarsekit.annotate(fundus, 1.0, coarsekit.HUMAN, 0)


def patches(name: str, lesion: str, count: int) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Windows of the sample as a network takes them, and the signature of their marks."""
    config = zoo.from_pretrained(name, engine="onnx").config  # type: ignore[attr-defined]
    fundus, drawn = drawn_sample()
    shapes = drawn.of(lesion)
    around = [windows_around(shape, fundus.shape, config.context, config.max_window) for shape in shapes]
    windows = [window for places in around for window in places][:count]
    image, coarse = window_arrays(fundus.image, shapes, bounding_boxes(shapes), windows, config.size)
    return image, coarse, photograph_signature(fundus.image, shapes, windows)


@pytest.fixture(scope="module")
def tiny_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small network of untrained weights, conditioned on classes, as the one file that it is exported to."""
    torch.manual_seed(0)
    fields = {"size": 32, "width": 4, "lesions": ["MA", "EX"], "matched_filter": True, "appearance": True}
    network = build(network_class("unet"), fields | {"threshold": 0.4, "mask_dilation": 0.1, "tta_views": 2}).eval()
    folder = tmp_path_factory.mktemp("small")
    network.save(folder / "small", {"data": "idrid train"}, half=False)
    shutil.copyfile(BUNDLED / "lite" / "doubt.json", folder / "small" / "doubt.json")
    result = CliRunner().invoke(main, ["export-onnx", str(folder / "small"), "-o", str(folder / "small.onnx")])
    assert result.exit_code == 0, result.output
    return folder / "small.onnx"


def test_every_bundled_network_has_a_graph_without_weights() -> None:
    assert len(NAMES) >= 4
    for name in NAMES:
        graph = BUNDLED / name / GRAPH
        assert graph.stat().st_size < 400_000
        tensors = onnx.load(graph, load_external_data=False).graph.initializer
        assert sum(tensor.data_location == onnx.TensorProto.EXTERNAL for tensor in tensors) > 50


@pytest.mark.parametrize(("lesion", "count"), [("MA", 1), ("SE", 5), ("", 5)])
@pytest.mark.parametrize("name", NAMES)
def test_probabilities_are_those_of_torch(name: str, lesion: str, count: int) -> None:
    image, coarse, signature = patches(name, lesion or "EX", count)
    assert len(image) == count
    by_torch, by_onnx = (
        zoo.from_pretrained(name, engine=engine).patch_probabilities(image, coarse, lesion, signature)  # type: ignore[attr-defined]
        for engine in ("torch", "onnx")
    )
    assert by_onnx.dtype == np.float32
    assert by_torch.max() > 0.5
    difference = np.abs(by_torch - by_onnx)
    if name == JUMPING and lesion != "MA":  # a microaneurysm has too few pixels to jump
        assert difference.max() < 0.1
        assert ((by_torch >= 0.4) != (by_onnx >= 0.4)).sum() <= PIXELS_THAT_JUMP * (by_torch >= 0.4).sum()
    else:
        assert difference.max() < 1e-4


@pytest.mark.parametrize("name", NAMES)
def test_without_a_signature_each_patch_has_its_own(name: str) -> None:
    image, coarse, _ = patches(name, "MA", 3)
    by_torch, by_onnx = (
        zoo.from_pretrained(name, engine=engine).patch_probabilities(image, coarse, "MA")  # type: ignore[attr-defined]
        for engine in ("torch", "onnx")
    )
    assert np.abs(by_torch - by_onnx).max() < 1e-4


@pytest.fixture(scope="module")
def refined(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample as both engines refine it; ONNX Runtime in a process that cannot import torch."""
    folder = tmp_path_factory.mktemp("refined")
    source = write_few_lesions(folder / "data", "IDRiD_46")
    blocked = ("torch", "torchvision", "timm", "onnx", "onnxscript")
    program = f"""if True:
        import sys
        sys.modules.update(dict.fromkeys({blocked}))
        from zoo.cli.main import main
        main(["refine", "{source}", "--refiner", "tiny", *sys.argv[1:]])"""
    for engine in ([], ["--engine", "onnx"]):
        command = [sys.executable, "-W", "error", "-c", program, "-o", f"{folder / 'onnx'}{len(engine)}", *engine]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert ("torch is not installed, so networks are computed by ONNX Runtime" in done.stderr) == (not engine)
    result = CliRunner().invoke(main, ["refine", source, "--refiner", "tiny", "-q", "-o", str(folder / "torch")])
    assert result.exit_code == 0, result.output
    return folder


def test_the_sample_is_refined_without_torch_and_the_masks_are_the_same(refined: Path) -> None:
    masks = sorted(path.name for path in (refined / "torch").glob("*.png"))
    assert len(masks) == 4
    for name in masks:
        by_torch, by_onnx = (read_mask(refined / engine / name) for engine in ("torch", "onnx2"))
        assert by_torch.any()
        assert (by_torch != by_onnx).sum() <= PIXELS_THAT_DIFFER * by_torch.sum()
        assert np.array_equal(by_onnx, read_mask(refined / "onnx0" / name))


def test_records_say_the_engine_and_results_of_another_are_not_kept(refined: Path) -> None:
    for engine, folder in (("torch", "torch"), ("onnx", "onnx2")):
        record = json.loads((refined / folder / "IDRiD_46.json").read_text())
        assert record["engine"] == engine
        assert all(mark["expected_iou"] is not None for mark in record["marks"])
    source = f"folder:{refined / 'data'}"
    again = ["refine", source, "--refiner", "tiny", "-q", "-o", str(refined / "torch")]
    other = CliRunner().invoke(main, [*again, "--engine", "onnx"])
    assert other.exit_code == 1
    assert "IDRiD_46.json is of another engine; give --force to write over it" in other.stderr
    assert CliRunner().invoke(main, again).exit_code == 0


def test_a_file_needs_nothing_beside_it(tiny_file: Path) -> None:
    alone, whole = zoo.from_pretrained(tiny_file), zoo.from_pretrained(tiny_file.with_suffix(""))
    assert isinstance(alone, OnnxNetwork)
    assert isinstance(whole, Network)
    fields = (
        "variant",
        "lesions",
        "trained_on",
        "doubt",
        "photographs_seen",
        "cleaning",
        "recognises",
        "uses_signature",
    )
    assert {name: getattr(alone, name) for name in fields} == {name: getattr(whole, name) for name in fields}
    assert (alone.config.threshold, alone.config.tta_views, alone.engine) == (0.4, 2, "onnx")
    fundus, annotation = drawn_sample()
    expected = whole.probabilities(fundus.image, annotation)
    found = alone.probabilities(fundus.image, annotation)
    assert found.keys() == expected.keys()
    assert all(np.abs(found[lesion] - expected[lesion]).max() < 1e-4 for lesion in expected)
    assert any(np.ptp(expected[lesion]) > 0.1 for lesion in expected)


def test_a_file_says_what_it_is_to_other_programs(tiny_file: Path) -> None:
    model = onnx.load(tiny_file)
    onnx.checker.check_model(model, full_check=True)
    said = {prop.key: prop.value for prop in model.metadata_props}
    assert said["lesions"] == "MA, EX"
    assert "CC-BY-4.0" in said["licence"]
    assert "Porwal" in said["citation"]
    assert json.loads(said[KEY])["whole"]["config"]["config"]["threshold"] == 0.4
    shapes = {
        value.name: [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim]
        for value in (*model.graph.input, *model.graph.output)
    }
    assert tuple(shapes) == (*INPUTS, OUTPUT)
    assert {shape[0] for shape in shapes.values()} == {"batch"}
    assert [shapes[name][1:] for name in (*INPUTS, OUTPUT)] == [[3, 32, 32], [1, 32, 32], [], [3], [1, 32, 32]]


def test_weights_that_were_trained_further_need_no_new_graph(tmp_path: Path) -> None:
    folder = tmp_path / "further"
    shutil.copytree(BUNDLED / "unet", folder)
    network = zoo.from_pretrained(folder)
    assert isinstance(network, Network)
    with torch.no_grad():
        for tensor in network.parameters():
            tensor.mul_(1.01)
    network.save(folder, {})
    image, coarse, _ = patches("unet", "MA", 2)
    before, by_torch, by_onnx = (
        zoo.from_pretrained(place, engine=engine).patch_probabilities(image, coarse)  # type: ignore[attr-defined]
        for place, engine in (("unet", "torch"), (folder, "torch"), (folder, "onnx"))
    )
    assert np.abs(by_torch - by_onnx).max() < 1e-4 < np.abs(by_torch - before).max()


def test_in_another_process_it_answers_the_same_on_one_thread(tiny_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refiner = OnnxNetwork.load_file(tiny_file)
    image, coarse = np.random.default_rng(0).random((2, 3, 32, 32), np.float32), np.ones((2, 1, 32, 32), np.float32)
    expected, own, threads = refiner.patch_probabilities(image, coarse, "EX"), onnx_network._session, list[int]()

    def session(*given: Any, **named: Any) -> Any:
        threads.append(named["threads"])
        return own(*given, **named)

    monkeypatch.setattr(onnx_network, "_session", session)
    copy = pickle.loads(pickle.dumps(refiner))
    assert threads == [1]
    assert np.array_equal(copy.patch_probabilities(image, coarse, "EX"), expected)


def damaged(folder: Path) -> Iterator[tuple[str, str]]:
    """Ways to spoil the folder, each with a part of the sentence that follows."""
    graph, weights, config = (folder / name for name in (GRAPH, WEIGHTS, CONFIG))
    whole, stored = graph.read_bytes(), json.loads(config.read_text())
    graph.write_bytes(whole[: len(whole) // 2])
    yield "cut", f"{graph}: is damaged, or no ONNX file"
    graph.write_bytes(b"\xff" * 99)
    yield "noise", f"{graph}: is damaged, or no ONNX file"
    graph.write_bytes(b"")
    yield "empty", f"{graph}: is no refiner of this zoo"
    graph.unlink()
    yield "none", f"has no {GRAPH} for ONNX Runtime; where torch is installed, make a file to refine with"
    model = onnx.load_from_string(whole)
    del model.graph.node[3:9]
    graph.write_bytes(model.SerializeToString())
    yield "steps lost", f"{graph}: ONNX Runtime cannot use it"
    model = onnx.load_from_string(whole)
    model.metadata_props[0].value = model.metadata_props[0].value.replace('"format":1', '"format":2')
    graph.write_bytes(model.SerializeToString())
    yield "newer", f"{graph}: format 2 is not 1"
    graph.write_bytes(whole)
    config.write_text(json.dumps(stored | {"config": stored["config"] | {"width": 8}}))
    yield "another width", f"{graph}: is of another network than {config} says: width 8 instead of 16"
    config.write_text(json.dumps(stored | {"config": stored["config"] | {"photograph_prototypes": True}}))
    yield (
        "prototypes",
        f"{graph}: is of another network than {config} says: photograph_prototypes True instead of False",
    )
    config.write_text(json.dumps(stored))
    weights.write_bytes((BUNDLED / "tiny" / WEIGHTS).read_bytes())
    yield "another's weights", f"{weights}: the tensor"


def test_a_graph_that_is_damaged_or_of_another_network_is_refused_in_a_sentence(tmp_path: Path) -> None:
    shutil.copytree(BUNDLED / "unet", tmp_path / "unet")
    for what, sentence in damaged(tmp_path / "unet"):
        command = [
            "refine",
            "sample",
            "--engine",
            "onnx",
            "--refiner",
            str(tmp_path / "unet"),
            "-o",
            str(tmp_path / "o"),
        ]
        result = CliRunner().invoke(main, command)
        assert (result.exit_code, result.stdout) == (2, ""), what
        assert sentence in result.stderr, what
        assert result.stderr.count("\n") == 1, what


def test_a_file_of_another_version_or_without_weights_is_refused(tiny_file: Path, tmp_path: Path) -> None:
    model = onnx.load(tiny_file)
    for prop in model.metadata_props:
        if prop.key == KEY:
            said = json.loads(prop.value)
            said["whole"]["refining_version"] = 1
            prop.value = json.dumps(said)
    onnx.save(model, tmp_path / "old.onnx")
    with pytest.raises(RefinerError, match=r"old\.onnx: was exported for version 1 of what refines"):
        zoo.from_pretrained(tmp_path / "old.onnx")
    with pytest.raises(RefinerError, match=r"model\.onnx: has no weights in it; name its folder"):
        zoo.from_pretrained(BUNDLED / "tiny" / GRAPH)
    with pytest.raises(RefinerError, match=r"none\.onnx: cannot be read \(No such file"):
        zoo.from_pretrained("none.onnx")


def test_what_an_engine_cannot_do_is_said(tiny_file: Path) -> None:
    for named, match in (
        ({"engine": "tensorrt"}, "torch or onnx, got 'tensorrt'"),
        ({"engine": "onnx", "device": "cuda"}, "on the processor here, not on cuda"),
    ):
        with pytest.raises(ParameterError, match=match):
            zoo.from_pretrained("tiny", **named)
    with pytest.raises(ParameterError, match="is an ONNX file, which torch does not compute"):
        zoo.from_pretrained(tiny_file, engine="torch")
    with pytest.raises(CoarsekitError, match="has no revision"):
        zoo.from_pretrained(tiny_file, revision="main")
    assert zoo.from_pretrained("otsu", engine="onnx").engine == "numpy"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["otsu", "-o", "a.onnx"], "otsu is a rule without weights"),
        (["tiny", "-o", "a.pt"], "a.pt does not end in .onnx"),
        (["tiny", "-o", "there.onnx"], "there.onnx"),
    ],
)
def test_exporting_refuses_rules_other_names_and_files_that_are_there(
    arguments: list[str], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("there.onnx").write_text("mine")
    result = CliRunner().invoke(main, ["export-onnx", *arguments])
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["there.onnx"]
    assert Path("there.onnx").read_text() == "mine"


def test_without_what_an_engine_needs_it_is_said_what_to_install(tmp_path: Path) -> None:
    def run(blocked: tuple[str, ...], *arguments: str) -> str:
        program = f"""if True:
            import sys
            sys.modules.update(dict.fromkeys({blocked}))
            from zoo.cli.main import main
            main(sys.argv[1:])"""
        command = [sys.executable, "-c", program, *arguments, "-o", str(tmp_path / "out.onnx")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 2
        return done.stderr

    neither = run(("torch", "onnxruntime"), "refine", "sample")
    assert neither == (
        "Error: torch is not installed; install it with pip install 'coarsekit[zoo]', or 'coarsekit[onnx]' to refine "
        "without torch\n"
    )
    assert "install it with pip install 'coarsekit[onnx]'" in run(
        ("onnxruntime",), "refine", "sample", "--engine", "onnx"
    )
    assert "'coarsekit[export-onnx]'" in run(("onnxscript",), "export-onnx", "unet")


@pytest.mark.filterwarnings("ignore:Guards may run slower on Python 3.13.0")  # torch's advice to take a later 3.13
@pytest.mark.parametrize("name", ["lite", JUMPING])
def test_torch_exports_and_compiles_networks_of_either_head(name: str) -> None:
    torch.compiler.reset()  # of the networks before
    network = zoo.from_pretrained(name)
    assert isinstance(network, Network)
    image, coarse, signature = (torch.from_numpy(array) for array in patches(name, "HE", 3))
    inputs = image, coarse, torch.tensor([1, -1, 0]), signature.expand(3, -1)
    with torch.no_grad():
        expected = ExportedNetwork(network).eval()(*inputs)
        exported = export_program(network).module()(*inputs)
        # The graph is captured whole, and run without generating code, which would take a C++ compiler minutes.
        compiled = torch.compile(ExportedNetwork(network).eval(), backend="aot_eager", fullgraph=True)(*inputs)
    assert expected.max() > 0.5
    assert (exported - expected).abs().max() < 1e-4
    assert (compiled - expected).abs().max() < 1e-4


def test_the_bundled_graph_is_what_the_network_exports_to() -> None:
    network = zoo.from_pretrained("unet")
    assert isinstance(network, Network)
    made, bundled = (
        onnx.load_from_string(content).graph
        for content in (export_onnx(network, graph_only=True), (BUNDLED / "unet" / GRAPH).read_bytes())
    )
    assert [node.op_type for node in made.node] == [node.op_type for node in bundled.node]
    assert [tensor.name for tensor in made.initializer] == [tensor.name for tensor in bundled.initializer]
