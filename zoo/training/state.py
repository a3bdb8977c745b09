"""The state that an interrupted training goes on from, and what it depends on."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from coarsekit.errors import OutputError
from zoo.checkpoints.folder import STATE

STATEFUL = ("network", "average", "optimizer", "scheduler")
"""The parts of a `Run` whose own state is saved with it."""
_CONTENT = {
    "photograph_sha256": "the pixels of",
    "masks_sha256": "the masks of",
    "style_sha256": "the parameters of the style",
    "pairs_sha256": "the pairs of",
    "start_sha256": "the weights of",
    "refining_version": "the versions of what refines",
}
"""What a training depends on, in words, by its name in the record."""


def changes(ours: Mapping[str, Mapping[str, str]], theirs: Mapping[str, Mapping[str, str]]) -> str:
    """What differs, in words, with the first of the names for which it does; empty where nothing does."""
    said = []
    for what, words in _CONTENT.items():
        one, other = ours.get(what, {}), theirs.get(what, {})
        names = sorted(name for name in {*one, *other} if one.get(name) != other.get(name))
        if names:
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            said.append(f"{words} {names[0]}{more}".rstrip())
    return ", and ".join(said)


def read_state(folder: Path) -> dict[str, Any]:
    """What `zoo.training.trainer.Run.save` wrote: the recipe, how the training was started, its epochs, all tensors.

    Raises `OutputError` when there is none, or it is damaged, or of another program or version.
    """
    path = folder / STATE
    if not path.exists():
        raise OutputError(f"{folder}: no training to resume there; expected {STATE}, so leave resume=True out")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as cause:  # torch's reader stumbles over other files with errors of many kinds
        raise OutputError(f"{path}: cannot be read ({type(cause).__name__}); train anew with force=True") from None
    if not isinstance(state, dict) or not {"recipe", "launch", "content", "history", *STATEFUL} <= state.keys():
        raise OutputError(f"{path}: not the state of a training by this version; train anew with force=True")
    return state
