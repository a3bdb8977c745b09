"""The paper's experiments, each with one command: planned, timed, trained, evaluated, and set beside its numbers."""
