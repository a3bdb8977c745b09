"""``python -m zoo``, and so ``accelerate launch -m zoo …`` and ``torchrun -m zoo …``."""

from zoo.cli.main import main

main(prog_name="zoo")
