"""timm's encoders by name: made untrained, or filled with the weights that timm has for them."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from huggingface_hub import HfApi, constants, try_to_load_from_cache
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.utils.tqdm import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars
from torch import Tensor, nn
from torch.nn import functional

from coarsekit.errors import RefinerError, did_you_mean

# Whatever HTTP library the client stands on, this is the base of that library's errors, or an OSError.
_TRANSPORT: type[Exception] = HfHubHTTPError.__bases__[0]
_WEIGHTS = "model.safetensors"
_WITHOUT = "or train without pretrained=True"


def make_encoder(name: str, channels: int, size: int, pretrained: bool = False) -> Any:
    """The feature maps of a timm model, finest first, for inputs (b, channels, size, size).

    ``size`` matters only to models of fixed input size, which then take no other. Of HRNets these are the four branches
    themselves, not what their classifier widens them to.

    Raises `RefinerError` for a name that timm does not have, and for a model that gives no feature maps.
    """
    import timm

    architecture = name.partition(".")[0]
    known = timm.list_models()
    if architecture not in known:
        raise RefinerError(f"timm has no backbone {name!r}{did_you_mean(architecture, known)}")
    options: dict[str, Any] = {"feature_location": ""} if architecture.startswith("hrnet") else {}
    described = timm.get_pretrained_cfg(architecture)
    if described is not None and described.fixed_input_size:
        options["img_size"] = size
    try:
        return timm.create_model(name, pretrained=pretrained, features_only=True, in_chans=channels, **options)
    except (OSError, _TRANSPORT):
        raise  # of fetching: the caller makes the sentence
    except Exception as error:  # every architecture refuses in a way of its own
        reason = " ".join(str(error).split()) or type(error).__name__
        what = "load its own weights into" if pretrained else "make feature maps of"
        raise RefinerError(f"timm cannot {what} {name} ({reason}); choose another backbone") from None


def fill(encoder: nn.Module, name: str, size: int) -> None:
    """Fill an encoder with timm's own weights for it, fetched from the Hub or found in its cache.

    Its input channels after the three of RGB start at 0, so that features of a photograph are what they were. The
    global random numbers are left alone.

    Raises `RefinerError` when there are no such weights, when they cannot be fetched, and when they do not fill the
    encoder: it is never left random.
    """
    source, repository = _locate(name)
    with _quiet(), torch.random.fork_rng(devices=[]):
        try:
            _reach(repository)
            fillings = []
            for seed in (0, 1):
                torch.manual_seed(seed)
                fillings.append(make_encoder(name, 3, size, pretrained=True).state_dict())
        except (OSError, _TRANSPORT) as error:
            raise RefinerError(
                f"the pretrained weights of {name} could not be fetched from {source} ({type(error).__name__}); check "
                f"the connection, or set HF_HUB_CACHE to a cache that has them, {_WITHOUT}"
            ) from None
    weights = fillings[0]
    # timm only logs what a file of weights lacks; what depends on the seed did not come from it.
    random = [key for key, tensor in weights.items() if not torch.equal(tensor, fillings[1][key])]
    if random:
        raise RefinerError(f"the weights of {name} from {source} lack {random[0]}; choose another backbone, {_WITHOUT}")
    encoder.load_state_dict(_widened(weights, encoder.state_dict(), name))


def _widened(weights: dict[str, Tensor], own: dict[str, Tensor], name: str) -> dict[str, Tensor]:
    """Weights for three input channels as those for more, which start at 0."""
    result = {}
    for key, tensor in own.items():
        weight = weights[key]
        if weight.shape != tensor.shape and weight.ndim == 4 and weight.shape[1] == 3:
            weight = functional.pad(weight, (0, 0, 0, 0, 0, tensor.shape[1] - 3))
        if weight.shape != tensor.shape:
            raise RefinerError(
                f"the first layer of {name} ({key}) mixes its input channels, so that its weights cannot take a coarse "
                f"mask beside RGB; choose another backbone, {_WITHOUT}"
            )
        result[key] = weight
    return result


def _locate(name: str) -> tuple[str, str]:
    """The address of a model's weights, and their repository on the Hub, empty for those that lie elsewhere."""
    import timm

    described = timm.get_pretrained_cfg(name)
    if described is None or not described.has_weights:
        raise RefinerError(f"timm has no pretrained weights for {name}; choose another backbone, {_WITHOUT}")
    repository = described.hf_hub_id or ""
    return f"{constants.ENDPOINT}/{repository}" if repository else str(described.url), repository


def _reach(repository: str) -> None:
    """Ask the Hub once for what is not in its cache: its client would retry for most of a minute, file by file."""
    if repository and not isinstance(try_to_load_from_cache(repository, _WEIGHTS), str):
        HfApi().model_info(repository, timeout=constants.HF_HUB_ETAG_TIMEOUT)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what timm and the Hub's client say while they load off stderr: errors are raised."""
    loggers = [logging.getLogger(name) for name in ("timm", "huggingface_hub")]
    levels, hidden = [logger.level for logger in loggers], are_progress_bars_disabled()
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    disable_progress_bars()
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
        if not hidden:
            enable_progress_bars()
