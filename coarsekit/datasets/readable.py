"""Photographs of a dataset one by one: one that cannot be read is left out and named, and the others are used."""

from collections.abc import Callable, Collection, Iterator, Mapping

from coarsekit.datasets.base import Dataset
from coarsekit.errors import AnnotationError, ImageError, SourceError
from coarsekit.types import Fundus

OnFailure = Callable[[str, str], object]
"""Called with the key of a photograph that is left out, and with the reason, a sentence."""


def readable(
    dataset: Dataset, keys: Collection[str], on_failure: OnFailure | None, some: bool = True
) -> Iterator[Fundus]:
    """Decode photographs and their masks one at a time, but for those that cannot be used as they are.

    Args:
        dataset: What has them.
        keys: Which, in this order; of none nothing is given.
        on_failure: Called for each that is left out, as its photograph or a mask cannot be decoded or does not fit.
            None raises the first error instead.
        some: Whether it is an error when all are left out.

    Raises:
        SourceError: When all are left out, unless ``some`` is False.
    """
    failures: dict[str, str] = {}
    for key in keys:
        try:
            fundus = dataset.read(key)
        except (ImageError, SourceError, AnnotationError) as error:
            if on_failure is None:
                raise
            failures[key] = str(error)
            on_failure(key, failures[key])
        else:
            yield fundus
    if some:
        check_some_readable(dataset, keys, failures)


def check_some_readable(dataset: Dataset, keys: Collection[str], failures: Mapping[str, str]) -> None:
    """Raise `SourceError` when all of these photographs were left out; ``failures``: the reasons by key."""
    if not failures or len(failures) < len(keys):
        return
    first = next(iter(failures.values()))
    of_many = f"none of {len(keys)} photographs of {dataset.name} can be used; the first: "
    raise SourceError(first if len(keys) == 1 else of_many + first)
