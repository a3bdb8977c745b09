"""The weights of a checkpoint folder as arrays, for engines other than torch. No torch here."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file

from coarsekit.errors import RefinerError
from zoo.checkpoints.folder import WEIGHTS


def read_arrays(folder: Path) -> dict[str, NDArray[np.float32]]:
    """The floating tensors of a checkpoint folder by their names, as float32, however they are stored.

    Raises `RefinerError` when they cannot be read, or one is not finite.
    """
    path = folder / WEIGHTS
    if not path.is_file():  # reading a pipe would wait for ever
        raise RefinerError(f"{path}: the weights cannot be read (no such file); copy the folder again")
    try:
        stored = load_file(path)
    except (OSError, SafetensorError, KeyError, TypeError) as cause:  # the last two for types that NumPy lacks
        raise RefinerError(f"{path}: the weights cannot be read ({cause}); copy the folder again") from None
    arrays = {name: array.astype(np.float32) for name, array in stored.items() if array.dtype.kind == "f"}
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise RefinerError(f"{path}: the tensor {name} is not finite; copy the folder again, or train again")
    return arrays
