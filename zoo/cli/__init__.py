"""One file per command of ``zoo``; a command is imported when it is run."""
