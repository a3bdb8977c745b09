"""A checkpoint folder: its configuration, weights, metrics, and the catalogue of those that are ready."""
