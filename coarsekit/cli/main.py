"""``coarsekit``: readers, simulation, annotation files. One command a file of this folder."""

from coarsekit.cli.groups import LazyGroup

main = LazyGroup(
    "coarsekit",
    package="coarsekit.cli",
    about="From fine lesion masks to the circles and ellipses that an annotator would have drawn.",
    summaries={
        "readers": "Show the datasets that can be read, with their licences.",
        "check": "Find what is wrong with a SOURCE, and how large its lesions are.",
        "convert": "Convert annotation files from one tool's format to another's.",
        "simulate": "Draw coarse ellipses around the fine masks of a SOURCE.",
        "preview": "Draw contours by class, coarse and fine side by side, and a grid of pairs, as PNG.",
        "export": "Write pairs of coarse and fine masks as a Hugging Face dataset, to a folder or the Hub.",
        "calibrate": "Measure how people draw, and write it as a style.",
    },
)
