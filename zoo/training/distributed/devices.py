"""Where a training runs: one process on one device, or several with a GPU each, which accelerate connects.

``accelerate launch`` and ``torchrun`` start several processes; one process does not import accelerate.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import timedelta
from importlib import import_module
from typing import Any, TypeVar, final

import torch
from torch import Tensor, distributed, nn

from coarsekit.errors import ParameterError
from zoo.loading import usable_device
from zoo.models.base import Network
from zoo.refiner import no_progress
from zoo.training.distributed.compile import compiled

Item = TypeVar("Item")
Result = TypeVar("Result")

PRECISIONS = ("auto", "full", "mixed")
_PATIENCE = timedelta(days=7)
"""How long processes wait for one another: one may decode photographs for hours."""


@final
class Devices:
    """One process on one device: number ``rank`` of ``world_size``, which train one network together.

    ``precision``: ``full`` is 32-bit floats; ``mixed`` computes in bfloat16, or in 16-bit floats with a scaled loss on
    a GPU without bfloat16; ``auto`` is mixed on a GPU and full elsewhere. ``compiling``: let torch compile the network;
    where it cannot, ``warn`` is called with a sentence and training goes on without. ``accelerator``: accelerate's,
    for one of several processes.

    Raises `ParameterError` for an unknown precision, or a device that is not there.
    """

    def __init__(
        self,
        device: str = "cpu",
        precision: str = "auto",
        compiling: bool = False,
        warn: Callable[[str], None] = no_progress,
        accelerator: Any = None,
    ) -> None:
        if precision not in PRECISIONS:
            raise ParameterError(f"precision must be one of {', '.join(PRECISIONS)}, got {precision!r}")
        self.device = accelerator.device if accelerator else usable_device(device)
        self.rank = accelerator.process_index if accelerator else 0
        self.world_size = accelerator.num_processes if accelerator else 1
        self._accelerator, self._compiling, self._warn = accelerator, compiling, warn
        on_gpu = self.device.type == "cuda"
        mixed = precision == "mixed" or (precision == "auto" and on_gpu)
        amp_dtype = torch.float16 if on_gpu and not torch.cuda.is_bf16_supported() else torch.bfloat16
        self.amp_dtype = amp_dtype if mixed else None
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=self.amp_dtype is torch.float16)
        torch.backends.cudnn.benchmark = on_gpu  # all batches have one shape

    @property
    def is_main(self) -> bool:
        """Whether this is the one process that writes and prints."""
        return self.rank == 0

    def describe(self) -> dict[str, Any]:
        """For the training record: the kind of device, the number of processes, and the floats of a pass."""
        floats = str(self.amp_dtype or torch.float32).removeprefix("torch.")
        return {"device": self.device.type, "processes": self.world_size, "floats": floats}

    def prepare(self, network: Network, example: tuple[Tensor, ...]) -> nn.Module:
        """The network on this device as training passes batches through it: compiled, shared, or as it is.

        It has the same parameters. ``example``: the inputs of a pass, for trying the compiled network.
        """
        network.to(self.device).to(memory_format=torch.channels_last)
        module: nn.Module = network
        if self.world_size > 1:  # batch norms normalise by the statistics of the global batch
            layers: Any = import_module("timm.layers")  # unlike torch's, it knows norms with an activation inside
            module = layers.convert_sync_batchnorm(module)
        if self._compiling:
            inputs = tuple(part.to(self.device) for part in example)
            module = compiled(module, inputs, self.autocast, self._warn)
        return self._accelerator.prepare_model(module) if self._accelerator else module

    def autocast(self) -> AbstractContextManager[object]:
        """The context of a pass through the network in training: its precision."""
        return torch.autocast(self.device.type, dtype=self.amp_dtype) if self.amp_dtype else nullcontext()

    def step(self, loss: Tensor, optimizer: torch.optim.Optimizer) -> None:
        """Take one step down the gradient of the loss, which is the mean over the processes."""
        optimizer.zero_grad()
        self.scaler.scale(loss).backward()  # type: ignore[no-untyped-call] # torch leaves it untyped
        self.scaler.step(optimizer)
        self.scaler.update()

    def all_reduce_sum(self, numbers: list[float]) -> list[float]:
        """Each number summed over the processes."""
        if not self._accelerator:
            return numbers
        summed = torch.tensor(numbers, dtype=torch.float64, device=self.device)
        total: list[float] = self._accelerator.reduce(summed, "sum").tolist()
        return total

    def map_over_ranks(self, function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """The function's results in the order of the items, each of which one process works on; all get all results."""
        own = [function(item) for number, item in enumerate(items) if number % self.world_size == self.rank]
        if not self._accelerator:
            return own
        from accelerate.utils import gather_object

        shares: list[list[Result]] = gather_object([own])
        return [share[turn] for turn in range(len(shares[0])) for share in shares if turn < len(share)]

    def from_main(self, function: Callable[[], Result]) -> Result:
        """The function's result in the main process, for all."""
        results = [function() if self.is_main else None]
        if self._accelerator:
            from accelerate.utils import broadcast_object_list

            broadcast_object_list(results)
        return results[0]  # type: ignore[return-value] # that of the main process by now

    def main_first(self) -> AbstractContextManager[None]:
        """The main process goes through the block before the others: what it writes, they find."""
        return self._accelerator.main_process_first() if self._accelerator else nullcontext()


@contextmanager
def connected(
    device: str | None = None,
    precision: str = "auto",
    compiling: bool = False,
    warn: Callable[[str], None] = no_progress,
) -> Iterator[Devices]:
    """The devices of this process, connected to the others if a launcher has started several.

    ``device``: None for a GPU where there is one; of several processes each takes its own.

    Raises `ParameterError` for several processes without GPUs, and what `Devices` does.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield Devices(device or ("cuda" if torch.cuda.is_available() else "cpu"), precision, compiling, warn)
        return
    if device == "cpu" or not torch.cuda.is_available():
        raise ParameterError("several processes need GPUs, one for each; start a single process on a CPU")
    from accelerate import Accelerator
    from accelerate.utils import InitProcessGroupKwargs

    handlers = [InitProcessGroupKwargs(timeout=_PATIENCE)]
    # `Devices` sets the precision, as with one process.
    accelerator = Accelerator(mixed_precision="no", kwargs_handlers=handlers)
    try:
        yield Devices(str(accelerator.device), precision, compiling, warn, accelerator)
    finally:
        distributed.destroy_process_group()
