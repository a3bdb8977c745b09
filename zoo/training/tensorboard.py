"""A TensorBoard log of a training: the history's curves, epoch by epoch."""

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from coarsekit.errors import ParameterError


@contextmanager
def event_log(folder: Path) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """Gives the function that writes a line of the history as TensorBoard events into ``folder``.

    A resumed training goes on with the same curves: what an interrupted one had written of later epochs is dropped.

    Raises `ParameterError` when tensorboard is not installed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what tensorboard imports
            from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise ParameterError(
            "tensorboard=True needs the package tensorboard, which is missing; run: pip install tensorboard"
        ) from None
    writer: SummaryWriter | None = None

    def write(line: Mapping[str, Any]) -> None:
        nonlocal writer
        if writer is None:
            writer = SummaryWriter(str(folder), purge_step=line["epoch"])
        for name, value in _curves(line).items():
            writer.add_scalar(name, value, line["epoch"])
        writer.flush()

    try:
        yield write
    finally:
        if writer is not None:
            writer.close()


def _curves(line: Mapping[str, Any]) -> dict[str, float]:
    names = ("loss", "learning_rate", "validation_iou", "validation_floor", "threshold", "seconds")
    classes = {
        f"validation/{style}/{lesion}": iou
        for style, row in line.get("validation", {}).items()
        for lesion, iou in row.items()
    }
    return {name: line[name] for name in names if name in line} | classes
