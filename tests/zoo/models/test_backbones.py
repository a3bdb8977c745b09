"""Backbones by their timm names: which fit, what they are given, and where their pretrained weights come from."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from huggingface_hub import constants

from coarsekit.errors import ParameterError, RefinerError
from tests import loopback_hub as loopback
from zoo.models.base import build, network_class
from zoo.models.layers.backbones import Pyramid

TOKEN = "hf_a_token"
FILL = """
import pathlib, sys
import timm, torch
from huggingface_hub import HfApi
from huggingface_hub.utils.tqdm import disable_progress_bars, enable_progress_bars
from safetensors.torch import save_file
from coarsekit.errors import ParameterError, RefinerError
from zoo.models.layers.backbones import Pyramid

folder = pathlib.Path(sys.argv[1])
stored = {}
disable_progress_bars()
for name, left_out in (("test_resnet", ""), ("test_efficientnet", "blocks.1.0.conv_exp.weight")):
    torch.manual_seed(1)
    weights = timm.create_model(name).state_dict()
    stored[name] = {key: tensor for key, tensor in weights.items() if key != left_out}
    save_file(stored[name], folder / "model.safetensors")
    repository = timm.get_pretrained_cfg(name).hf_hub_id
    HfApi().create_repo(repository)
    HfApi().upload_folder(repo_id=repository, folder_path=folder)
enable_progress_bars()

pyramid = Pyramid("test_resnet", 8, 2, 4, 64)
before = torch.get_rng_state()
pyramid.load_pretrained()
assert torch.equal(before, torch.get_rng_state())
for key, tensor in pyramid.encoder.state_dict().items():
    weight = stored["test_resnet"][key]
    assert torch.equal(tensor[:, :3] if key == "conv1.0.weight" else tensor, weight), key
assert not pyramid.encoder.state_dict()["conv1.0.weight"][:, 3:].any()
try:
    Pyramid("test_efficientnet", 8, 1, 4, 64).load_pretrained()
except RefinerError as error:
    print(error)
"""


def fitted(name: str, **fields: object) -> torch.nn.Module:
    torch.manual_seed(0)
    return build(network_class("timm"), {"backbone": name, "width": 8, "size": 64} | fields).eval()


@pytest.mark.parametrize("name", ["test_resnet.r160_in1k", "test_convnext", "test_mambaout", "test_coatnet"])
@pytest.mark.parametrize("size", [64, 96])
def test_plain_transposed_and_fixed_size_backbones_fit(name: str, size: int) -> None:
    """test_mambaout has its channels last, and test_coatnet takes patches of one size only."""
    with torch.inference_mode():
        network = fitted(name, size=size)
        features = network.features(torch.rand(1, 3, size, size), torch.ones(1, 1, size, size))
        assert features.shape == (1, 8, size // 4, size // 4)
        assert network(torch.rand(1, 3, size, size), torch.ones(1, 1, size, size)).isfinite().all()


def test_the_hrnet_gives_its_four_branches() -> None:
    pyramid = Pyramid("hrnet_w18", 8, 1, 4, 64)
    assert [lateral.in_channels for lateral in pyramid.lateral] == [18, 36, 72, 144]


def test_rgb_is_normalised_as_the_backbone_expects_and_the_mask_is_not() -> None:
    pyramid, seen = Pyramid("test_mambaout", 8, 1, 4, 64), []
    pyramid.encoder.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    mean, std = (pyramid.encoder.default_cfg[name] for name in ("mean", "std"))
    with torch.inference_mode():
        pyramid(torch.full((1, 3, 64, 64), 0.25), torch.ones(1, 1, 64, 64))
    expected = [(0.25 - m) / s for m, s in zip(mean, std, strict=True)] + [1.0]
    assert seen[0][0, :, 5, 7].tolist() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("resnet81", "timm has no backbone 'resnet81'; did you mean 'resnet18'"),
        ("hf-hub:timm/resnet18.a1_in1k", "timm has no backbone"),
        ("resnet18.nonsense", r"resnet18\.nonsense \(Invalid pretrained tag"),
        ("test_vit", r"features at 1/16 of the resolution and none at 1/4; choose .* resnet18"),
    ],
)
def test_a_backbone_that_does_not_fit_is_one_sentence(name: str, sentence: str) -> None:
    with pytest.raises(RefinerError, match=sentence) as raised:
        fitted(name)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("setting", [("ENDPOINT", "http://127.0.0.1:9"), ("HF_HUB_OFFLINE", True)])
@pytest.mark.parametrize("name", ["resnet18", "hrnet18", "timm"])
def test_weights_that_cannot_be_fetched_are_said_soon(name, setting, monkeypatch, tmp_path, capfd) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, *setting)
    network = build(network_class(name), {"width": 8, "size": 64})
    before, began = torch.get_rng_state(), time.monotonic()
    with pytest.raises(
        RefinerError, match=r"could not be fetched from http.*/timm/.*without pretrained=True"
    ) as raised:
        network.initialise()
    assert time.monotonic() - began < 20
    assert "\n" not in str(raised.value)
    assert capfd.readouterr() == ("", "")
    assert torch.equal(before, torch.get_rng_state())


def test_a_backbone_without_weights_is_said() -> None:
    with pytest.raises(RefinerError, match="timm has no pretrained weights for convnext_atto_rms"):
        fitted("convnext_atto_rms").initialise()


def test_weights_are_fetched_and_the_mask_starts_without_a_say(tmp_path: Path) -> None:
    """The features of RGB are timm's, the channels of the mask are 0, and what a file lacks is never left random."""
    (tmp_path / "weights").mkdir()
    with loopback.serving({TOKEN: "timm"}) as hub:
        environment = hub.environment(tmp_path / "home", TOKEN)
        command = [sys.executable, "-c", FILL, str(tmp_path / "weights")]
        result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    assert result.stdout.startswith("the weights of test_efficientnet from http://127.0.0.1")
    assert "lack blocks.1.0.conv_exp.weight" in result.stdout


def test_an_encoder_without_its_last_stages_is_the_same_up_to_there() -> None:
    torch.manual_seed(0)
    whole = build(network_class("lite"), {"width": 8, "size": 64}).eval()
    short = build(network_class("lite"), {"width": 8, "size": 64, "last_stage_stride": 16}).eval()
    shared = {key: value for key, value in whole.state_dict().items() if key in short.state_dict()}
    short.load_state_dict(shared)  # strict: everything that is left is the whole one's
    weights = [sum(part.numel() for part in network.parameters()) for network in (short, whole)]
    assert weights[0] < weights[1] / 3
    image, coarse = torch.rand(1, 3, 64, 64), torch.ones(1, 1, 64, 64)
    stages = [network.features.encoder(torch.cat([image, coarse], 1)) for network in (short, whole)]
    assert [stage.shape[-1] for stage in stages[0]] == [32, 16, 8, 4]
    for ours, theirs in zip(stages[0], stages[1], strict=False):
        assert torch.equal(ours, theirs)
    with pytest.raises(ParameterError, match="last_stage_stride must be one of 4, 8, 16, 32, got 5"):
        build(network_class("lite"), {"last_stage_stride": 5})
