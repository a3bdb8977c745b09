"""Training pairs: simulated or exported, sampled and augmented."""
