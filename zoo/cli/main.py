"""``zoo``: refine, train, evaluate, push, …. The commands are in ``zoo/cli``; none is imported for --help."""

from coarsekit.cli.groups import LazyGroup

main = LazyGroup(
    "zoo",
    package="zoo.cli",
    about="Refiners that turn the circles and ellipses drawn on a fundus photograph into pixel-exact lesion masks.",
    summaries={
        "list": "Show the refiners that are ready to use: bundled, and fetched from the Hub.",
        "refine": "Refine photographs and their ellipses, or a whole SOURCE, into masks.",
        "review": "Make a page on which people accept or reject what was refined.",
        "apply-review": "Merge the decisions of a review into the masks, and write files for tools.",
        "train": "Train a refiner on a SOURCE.",
        "evaluate": "Score refiners on a SOURCE with fine masks.",
        "robustness": "Score refiners on a SOURCE as other cameras would show it, and on empty retina.",
        "doubt": "Measure, or fit, how well a refiner knows which of its answers to trust.",
        "agreement": "Measure how well annotators agree before and after refinement.",
        "consensus": "Make one mask a class of what several people drew.",
        "report": "Make tables and figures of what was evaluated.",
        "reproduce": "Run one of the paper's experiments, from training to tables and figures.",
        "cache": "Show or drop what trainings and evaluations keep to go on from.",
        "serve-labelstudio": "Serve a refiner to Label Studio, which then refines what is drawn there at once.",
        "demo": "Show a page in the browser on which to draw on a photograph, and refine what is drawn.",
        "card": "Write the model card of a refiner.",
        "export-onnx": "Write a network as an ONNX file, for ONNX Runtime.",
        "push": "Push a refiner to the Hugging Face Hub.",
        "pull": "Fetch a refiner from the Hugging Face Hub.",
    },
)
