"""A network compiled by torch, if it can be: tried before the training, so that a failure costs nothing but time."""

import copy
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor, nn


def compiled(
    network: nn.Module,
    inputs: tuple[Tensor, ...],
    autocast: Callable[[], AbstractContextManager[object]],
    warn: Callable[[str], None],
) -> nn.Module:
    """The network compiled, with the same parameters; the network itself, and a sentence to ``warn``, if that fails.

    It is tried on ``inputs`` within ``autocast()``, forth and back in training mode, and left as it was.
    """
    before = copy.deepcopy(network.state_dict())
    faster: Any = torch.compile(network)
    network.train()
    try:
        with autocast():
            answer = faster(*inputs)
        answer.float().mean().backward()
    except Exception as cause:  # a compiler fails in as many ways as there are systems
        reason = str(cause).strip().splitlines()
        said = reason[0] if reason else type(cause).__name__
        warn(f"The network cannot be compiled here ({said}); training goes on without")
        faster = network
    finally:
        network.load_state_dict(before)
        network.zero_grad(set_to_none=True)
    return faster
