"""``zoo``: refine, train, evaluate, report, …. The commands are in ``zoo/commands``; none is imported for --help."""

from coarsekit.console import LazyGroup

main = LazyGroup(
    "zoo",
    package="zoo.commands",
    about="Refiners that turn the circles and ellipses drawn on a fundus photograph into pixel-exact lesion masks.",
    summaries={
        "list": "Show the refiners that are ready to use.",
        "refine": "Refine photographs and their ellipses, or a whole SOURCE, into masks.",
        "train": "Train a refiner on a SOURCE.",
        "evaluate": "Score refiners on a SOURCE with fine masks.",
        "report": "Make tables and figures of what was evaluated.",
        "agreement": "Measure how well annotators agree before and after refinement.",
        "robustness": "Score refiners on a SOURCE as other cameras would show it, and on empty retina.",
    },
)
