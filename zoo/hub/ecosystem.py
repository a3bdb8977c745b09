"""What the Hub's ecosystem calls on the classes themselves: loading, saving and cards, as the rest of zoo does them.

The classes lie below the functions that load and save them, and lead here.
"""

import os
from pathlib import Path
from typing import TypeVar

from coarsekit.errors import RefinerError
from zoo import checkpoint
from zoo.hub.publishing import card_text
from zoo.network import Network
from zoo.pretrained import load
from zoo.refiner import Refiner
from zoo.remote import Access

Kind = TypeVar("Kind", bound=Refiner)


def load_as(kind: type[Kind], name: str | os.PathLike[str], access: Access) -> Kind:
    """Load a refiner that must be of a class.

    Raises `RefinerError` when what is stored there is of another.
    """
    refiner = load(name, access)
    if not isinstance(refiner, kind):
        ours, theirs = (getattr(each, "variant", each.__name__) for each in (kind, type(refiner)))
        raise RefinerError(
            f"{os.fspath(name)} holds a refiner of the variant {theirs}, not {ours}; load it with zoo.from_pretrained"
        )
    return refiner


def save_exactly(network: Network, folder: Path) -> None:
    """Write the checkpoint of a network; weights take 16 bits where that loses nothing, as of any that was loaded."""
    floats = [tensor for tensor in network.state_dict().values() if tensor.is_floating_point()]
    checkpoint.save(network, folder, dict(network.record), half=all(t.half().to(t.dtype).equal(t) for t in floats))


def card_of(network: Network) -> str:
    """The card of a network as it is in memory: without measured metrics, for its weights may have changed since."""
    return card_text(network.name, checkpoint.describe(network), network.record)
