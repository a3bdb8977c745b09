"""From photographs or exported pairs to a checkpoint: pairs, losses, devices, the loop, its log."""
