"""One file per command of ``coarsekit``; a command is imported when it is run."""
