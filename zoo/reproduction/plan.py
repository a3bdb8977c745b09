"""What an experiment of the paper takes: which networks are trained by which recipe, and what is evaluated. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from coarsekit.errors import ParameterError, did_you_mean
from zoo.evaluation.protocols import CROSS_CLASS, CROSS_DATASET, REDUCTION, REDUCTIONS, SAME
from zoo.reproduction.published import STYLE
from zoo.training.recipe import Recipe
from zoo.training.recipe_files import make_recipe

EQUAL_BUDGET = "equal-budget"
"""The recipe at which all networks see the same pairs, and as many."""
RESERVED = ("variant", "styles", "only_lesions", "seed")
"""Fields of a recipe that an experiment sets itself."""


@dataclass(frozen=True, slots=True)
class Method:
    """A network that takes part.

    ``name``: its variant. ``label``: its row in the paper's tables; empty for one that the paper does not have.
    ``fields``: those of its network at the equal budget, beside the recipe's.
    """

    name: str
    label: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)


METHODS = (
    Method("resnet18", "Res18"),
    Method("hrnet18", "HRNet18"),
    Method("unet", "U-Net", {"width": 16}),
    Method("proto", "Our methods", {"width": 16}),
    Method("proto-superpixel", "w/ superpixel", {"width": 16}),
    Method("lite", "", {"width": 32}),
)
"""The paper's five, in the order of its tables, and the architecture of the default refiner."""
EXPERIMENTS: dict[str, tuple[str, ...]] = {
    "table1": (SAME,),
    "table2": (CROSS_DATASET, CROSS_CLASS),
    "figure3": (REDUCTION,),
    "figure4": (SAME,),
}
"""The protocols of `zoo.evaluation.protocols` that each experiment evaluates by."""


@dataclass(frozen=True, slots=True)
class Data:
    """A dataset as a plan sees it: the SOURCE that opens it, its reader and classes, the split, and how many images.

    ``trained_on``: the training split with its number of images; both are of no meaning for a target.
    """

    source: str
    name: str
    reader: str
    lesions: tuple[str, ...]
    split: str
    images: int
    trained_on: tuple[str, int] = ("", 0)


@dataclass(frozen=True, slots=True)
class Training:
    """A network to train into ``folder``; ``without``: the class that is left out, empty for none."""

    method: Method
    without: str
    folder: Path
    recipe: Recipe

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.method.name} without {self.without}" if self.without else self.method.name


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What is evaluated by one protocol, with its scores in ``folder``."""

    protocol: str
    data: tuple[Data, ...]
    folder: Path
    trainings: tuple[Training, ...]

    @property
    def reductions(self) -> tuple[float, ...]:
        """The reduction factors of the protocol."""
        return REDUCTIONS[self.protocol]


@dataclass(frozen=True, slots=True)
class Plan:
    """An experiment: ``left_out`` says by name what the paper has and this plan does not.

    ``folder``: where the report is written; ``style``: preset or TOML file.
    """

    experiment: str
    data: Data
    style: str
    seed: int
    folder: Path
    trainings: tuple[Training, ...]
    evaluations: tuple[Evaluation, ...]
    left_out: tuple[str, ...]


def methods_named(names: Sequence[str]) -> tuple[Method, ...]:
    """The methods of these names, in the order of the paper's tables; all where none is named.

    Raises `ParameterError` for an unknown name.
    """
    known = [method.name for method in METHODS]
    for name in names:
        if name not in known:
            raise ParameterError(f"no method {name!r}; choose among {', '.join(known)}{did_you_mean(name, known)}")
    return tuple(method for method in METHODS if not names or method.name in names)


def make_plan(
    experiment: str,
    data: Data,
    out: Path,
    content: Mapping[str, Any],
    *,
    equal_budget: bool = True,
    settings: Mapping[str, Any] | None = None,
    methods: Sequence[str] = (),
    style: tuple[str, str] = (STYLE, STYLE),
    seed: int = 0,
    targets: Sequence[Data] = (),
) -> Plan:
    """Plan an experiment; nothing is read or written.

    Trainings lie in ``out``/STYLE/trainings and scores in ``out``/STYLE/PROTOCOL, so experiments share them.

    Args:
        experiment: One of `EXPERIMENTS`.
        data: What to train on, and to evaluate on.
        out: The folder of all experiments.
        content: The fields of the recipe, as `zoo.training.recipe_files.read_recipe` gives them.
        equal_budget: Whether that is the recipe `EQUAL_BUDGET`, beside which methods have fields of their own.
        settings: Values by field that come before those of the recipe and of the methods.
        methods: Names of methods, empty for all.
        style: The style's preset or TOML file, and its name.
        seed: Seed of trainings and drawings.
        targets: Other datasets for Table 2.

    Returns:
        The plan.

    Raises:
        ParameterError: An unknown experiment, method or field, a field that the experiment sets itself, or targets
            for another experiment than Table 2.
    """
    if experiment not in EXPERIMENTS:
        known = tuple(EXPERIMENTS)
        raise ParameterError(
            f"no experiment {experiment!r}; choose one of {', '.join(known)}{did_you_mean(experiment, known)}"
        )
    if targets and CROSS_DATASET not in EXPERIMENTS[experiment]:
        raise ParameterError(f"{experiment} is on one dataset; leave target=… out, which is for table2")
    for name in RESERVED:
        if name in (settings or {}):
            raise ParameterError(
                f"{name} is what the experiment sets itself; leave it out, and give methods=…, style=… or seed=…"
            )
    if CROSS_CLASS in EXPERIMENTS[experiment] and len(data.lesions) < 2:
        raise ParameterError(f"{data.name} has one lesion class; leaving one out takes two or more, so name another")
    chosen, place = methods_named(methods), out / style[1]

    def training(method: Method, without: str = "") -> Training:
        own = method.fields if equal_budget else {}
        kept = tuple(lesion for lesion in data.lesions if lesion != without) if without else ()
        fixed = {"variant": method.name, "styles": (style[0],), "only_lesions": kept, "seed": seed}
        recipe = make_recipe(content, {**own, **(settings or {}), **fixed})
        folder = place / "trainings" / (f"{method.name}-without-{without}" if without else method.name)
        return Training(method, without, folder, recipe)

    evaluations = []
    for protocol in EXPERIMENTS[experiment]:
        if protocol == CROSS_CLASS:
            trained = tuple(training(method, lesion) for method in chosen for lesion in data.lesions)
        else:
            trained = tuple(training(method) for method in chosen)
        tested = tuple(targets) if protocol == CROSS_DATASET else (data,)
        if tested:
            evaluations.append(Evaluation(protocol, tested, place / protocol, trained))
    trainings = tuple({one.folder: one for own in evaluations for one in own.trainings}.values())
    left_out = _left_out(experiment, data, style[1], targets)
    report = place / experiment
    return Plan(experiment, data, style[0], seed, report, trainings, tuple(evaluations), left_out)


def _left_out(experiment: str, data: Data, style: str, targets: Sequence[Data]) -> tuple[str, ...]:
    """What the paper has and a plan does not."""
    left_out = []
    if experiment == "table2":
        if not any(target.reader == "ddr" for target in targets):
            left_out.append("DDR's 225 test photographs, the cross-dataset half: name them with target=… ddr:PATH")
        left_out.append(
            "the paper's private photographs of drusen and pre-retinal haemorrhages, which are not public: in their "
            f"place each class of {data.name} is left out of a training, and tested on"
        )
    if experiment == "figure4":
        left_out.append("the row of drusen, which are in the paper's private photographs alone")
    if experiment.startswith("table") and style != STYLE:
        left_out.append(f"the paper's numbers, which are on drawings like those of the style {STYLE}")
    return tuple(left_out)
