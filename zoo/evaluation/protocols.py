"""The paper's experiments: which classes each refiner is scored on, and for which refiners they make no sense."""

from collections.abc import Sequence

from coarsekit.datasets.base import Dataset
from coarsekit.datasets.readable import readable
from coarsekit.errors import ParameterError, did_you_mean
from coarsekit.storage.digests import photograph_sha256
from zoo.evaluation.results import RefinerInfo

SAME, CROSS_DATASET, CROSS_CLASS, REDUCTION = PROTOCOLS = ("same", "cross-dataset", "cross-class", "reduction")
"""Table 1; Table 2; a class that was left out of training, or that its data never had; Figure 3."""
REDUCTIONS: dict[str, tuple[float, ...]] = {SAME: (1.0,), CROSS_DATASET: (1.0,), CROSS_CLASS: (1.0,)}
REDUCTIONS[REDUCTION] = tuple(round(1 + step / 10, 1) for step in range(11))
"""The reduction factors where none are named."""


def classes_to_score(
    protocol: str, infos: Sequence[RefinerInfo], dataset: Dataset, lesions: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    """The lesion classes of a dataset that each refiner is scored on, by name: all, or ``lesions``.

    In *cross-class* a network is scored on the classes that it has not seen, and a baseline on those that some
    network is scored on. A network whose record does not say what it has seen has seen all.
    """
    wanted = tuple(lesion for lesion in dataset.lesions if not lesions or lesion in lesions)
    if protocol != CROSS_CLASS:
        return {info.name: wanted for info in infos}
    classes = {info.name: _unseen(info, wanted) for info in infos if info.trained}
    some = {lesion for unseen in classes.values() for lesion in unseen}
    shared = tuple(lesion for lesion in wanted if lesion in some or not classes)
    return {info.name: classes.get(info.name, shared) for info in infos}


def _unseen(info: RefinerInfo, lesions: Sequence[str]) -> tuple[str, ...]:
    return tuple(lesion for lesion in lesions if info.seen is not None and lesion not in info.seen)


def check_protocol(
    protocol: str, infos: Sequence[RefinerInfo], datasets: Sequence[Dataset], lesions: Sequence[str]
) -> None:
    """Whether the protocol makes sense for every refiner.

    Raises `ParameterError` for no protocol, a lesion class that no dataset has, one dataset twice, and in
    *cross-dataset* or *cross-class* for a network that has seen every dataset, or every class.
    """
    if protocol not in PROTOCOLS:
        raise ParameterError(
            f"no protocol {protocol!r}; choose one of {', '.join(PROTOCOLS)}{did_you_mean(str(protocol), PROTOCOLS)}"
        )
    known = list(dict.fromkeys(lesion for dataset in datasets for lesion in dataset.lesions))
    names = [dataset.name for dataset in datasets]
    for lesion in lesions:
        if lesion not in known:
            raise ParameterError(f"{' and '.join(names)} has no lesion class {lesion!r}; it has {', '.join(known)}")
    twice = [name for place, name in enumerate(names) if name in names[:place]]
    if twice:
        raise ParameterError(
            f"two SOURCEs have the same name, {twice[0]}; give an own dataset another, name = … in its coarsekit.toml"
        )
    wanted = [lesion for lesion in known if not lesions or lesion in lesions]
    for info in infos:
        if protocol == CROSS_DATASET and info.trained and all(_saw(info, dataset) for dataset in datasets):
            raise ParameterError(
                f"cross-dataset: {info.name} was trained on {info.trained_on}, so {names[0]} is no other dataset; "
                "name a SOURCE that it was not trained on"
            )
        if protocol == CROSS_CLASS and info.trained and not _unseen(info, wanted):
            seen = ", ".join(info.seen) if info.seen else "all classes"
            raise ParameterError(
                f"cross-class: {info.name} was trained on {seen}, so {' and '.join(names)} has no class that it "
                "never saw; train one with the recipe's field only_lesions"
            )


def _saw(info: RefinerInfo, dataset: Dataset) -> bool:
    """Whether a network was trained on a dataset: a public one by its name, and a folder by its photographs' pixels."""
    seen = info.photographs_seen
    if dataset.reader == dataset.name or seen is None:
        return dataset.name in info.sources
    there = readable(
        dataset, dataset.keys(), lambda *_: None, some=False
    )  # those left out are named when they are scored
    return any(photograph_sha256(each.image) in seen for each in there)
