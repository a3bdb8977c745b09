"""Torch on one thread: processes that compete for the same cores make each other several times slower."""

import torch

torch.set_num_threads(1)
