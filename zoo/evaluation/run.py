"""A whole evaluation: datasets, splits, styles, reduction factors and refiners by name, to tables."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from coarsekit.datasets import open_source
from coarsekit.errors import OutputError, ParameterError
from coarsekit.simulation.styles import Style, as_style
from coarsekit.storage.files import given_path
from coarsekit.storage.outputs import at_work
from zoo.checkpoints.folder import CACHE, DEFAULT
from zoo.evaluation.cache import ScoreCache
from zoo.evaluation.evaluate import EvaluationConfig
from zoo.evaluation.evaluate import evaluate as evaluate_dataset
from zoo.evaluation.protocols import REDUCTIONS, SAME, check_protocol, classes_to_score
from zoo.evaluation.refiners import BLIND, FLOOR, blind_rule, floor, load_for_evaluation, select_split
from zoo.evaluation.results import RESULTS, DatasetRecord, EvaluationRecord, Results, read_evaluation, write_results
from zoo.evaluation.scoreboard import ScoreTable
from zoo.evaluation.tables import Table, average_rows, protocol_tables, score_rows
from zoo.refiner import Refiner, no_progress
from zoo.variants import REFINING_VERSION


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """What an evaluation found.

    ``results``: every score. ``scored``: drawings that were refined; ``cached``: those whose scores were kept.
    ``failures``: photographs that cannot be used as they are and were left out, with the reason, by key; those of
    several datasets with the dataset's name before the key.
    """

    results: Results
    scored: int
    cached: int
    failures: Mapping[str, str] = field(default_factory=dict)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """A row for each refiner, dataset, lesion class, reduction factor and style; IoU in percent."""
        return score_rows(ScoreTable(self.results))

    @property
    def averages(self) -> list[dict[str, Any]]:
        """Averages over the lesion classes."""
        return average_rows(ScoreTable(self.results))

    @property
    def tables(self) -> list[Table]:
        """The protocol's tables for people: a title and lines each."""
        return protocol_tables(ScoreTable(self.results))

    def to_pandas(self) -> Any:
        """The `rows` as a DataFrame of pandas, which comes with ``datasets``."""
        return import_module("pandas").DataFrame(self.rows)


def evaluate(
    sources: str | Sequence[str],
    refiners: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] = DEFAULT,
    *,
    split: str | Sequence[str] = "all",
    protocol: str = SAME,
    reductions: float | Sequence[float] = (),
    styles: str | os.PathLike[str] | Style | Sequence[str | os.PathLike[str] | Style] = "human",
    lesions: str | Sequence[str] = (),
    seed: int = 0,
    device: str = "cpu",
    jobs: int = 1,
    out: str | os.PathLike[str] | None = None,
    force: bool = False,
    progress: Callable[[int, int], None] = no_progress,
) -> Evaluation:
    """Score refiners on datasets with fine masks, beside the floor and the image-blind rule.

    Args:
        sources: A dataset, ``sample`` or ``READER:PATH``, or several.
        refiners: A bundled refiner, a checkpoint folder or ``ORG/NAME`` on the Hub, or several. A `Path` is a path.
        split: A split of all datasets, or one for each; ``all`` for all, ``held-out`` for the photographs that the
            networks were validated on.
        protocol: The paper's experiment, one of `zoo.evaluation.protocols.PROTOCOLS`.
        reductions: A reduction factor, 1 or more, or several; the protocol's own where none is named.
        styles: How the annotations are drawn: a preset, a TOML file, or a style, or several.
        lesions: A class that is scored, or several; all where none is named.
        seed: Seed of the drawings.
        device: Where networks compute.
        jobs: Photographs at a time, each in a process of its own.
        out: A folder that keeps every score as soon as it is there, to go on from; None keeps none.
        force: Whether results of another evaluation there may be written over; their cached scores are kept.
        progress: Called with the drawings that are refined, and how many there are.

    Returns:
        The scores, as rows and tables.

    Raises:
        ParameterError: When a dataset, split, style, class, factor, seed, protocol or number of jobs does not fit.
        RefinerError: When there is no such refiner.
        SourceError: When there is no such dataset, or no photograph of it can be read.
        OutputError: When ``out`` has another evaluation.

    Examples:
        >>> found = zoo.evaluate("sample", "otsu", lesions=["SE"])
        >>> [row["refiner"] for row in found.averages]
        ['floor', 'shrink', 'otsu']
    """
    if not isinstance(jobs, int) or jobs < 1:
        raise ParameterError(f"the parameter jobs must be 1 or more, got {jobs!r}")
    places, factors, only = _each(sources), _each(reductions), _each(lesions)
    named = tuple(dict.fromkeys(map(_name, _each(refiners))))
    if FLOOR in named:
        raise ParameterError(f"refiners: the {FLOOR} is a row of every table already; leave it out")
    kinds = tuple(map(as_style, _each(styles)))
    for name, given in (("sources", places), ("styles", kinds)):
        if not given:
            raise ParameterError(f"{name} names none; give one or more")
    if len({kind.name for kind in kinds}) < len(kinds):
        raise ParameterError("styles names one style twice; give each TOML file a name of its own")
    splits = _each(split)
    if len(splits) not in (1, len(places)):
        raise ParameterError(f"split is given {len(splits)} times for {len(places)} sources; give it once or each")
    each = splits if len(splits) == len(places) else splits * len(places)
    chosen = [select_split(open_source(source), own, named) for source, own in zip(places, each, strict=True)]
    loaded = [load_for_evaluation(name, device) for name in named]  # the rule too, since a folder may have its name
    scored_refiners = [floor(), blind_rule(), *(refiner for refiner in loaded if refiner.info.name != BLIND)]
    infos = tuple(refiner.info for refiner in scored_refiners)
    check_protocol(protocol, [info for info in infos if info.name in named], [dataset for dataset, _ in chosen], only)
    record = EvaluationRecord(
        protocol=protocol,
        datasets=tuple(
            DatasetRecord(source, dataset.name, dataset.reader, own or "all", dataset.lesions)
            for source, (dataset, own) in zip(places, chosen, strict=True)
        ),
        styles={kind.name: kind.parameters() for kind in kinds},
        reductions=tuple(dict.fromkeys(factors or REDUCTIONS[protocol])),
        lesions=only,
        seed=seed,
        refiners=infos,
        named=named,
        refining_version=REFINING_VERSION,
    )
    work = []
    for dataset, own in chosen:
        classes = classes_to_score(protocol, infos, dataset, only)
        work.append((dataset, EvaluationConfig(own, kinds, record.reductions, seed, classes)))
    folder = None if out is None else given_path(out, "out")
    earlier = read_evaluation(folder) if folder and not force and (folder / RESULTS).exists() else record
    if differing := earlier.differs_in(record):
        raise OutputError(
            f"{out}/{RESULTS} is of another evaluation (other {', '.join(differing)}); give force=True to write over "
            "it, which keeps its cached scores, or another out=…"
        )
    done, total = 0, sum(config.refinements * len(dataset.keys(config.split)) for dataset, config in work)
    progress(0, total)

    def advance(steps: int) -> None:
        nonlocal done
        done += steps
        progress(done, total)

    with at_work(folder, CACHE) if folder else nullcontext():
        parts = {
            dataset.name: evaluate_dataset(scored_refiners, dataset, config, ScoreCache(folder), jobs, advance)
            for dataset, config in work
        }
        scores = tuple(score for part in parts.values() for score in part.scores)
        results = Results(record, scores, {name: part.contents for name, part in parts.items()})
        if folder:
            write_results(folder, results)
    failures = {
        key if len(parts) == 1 else f"{name}: {key}": reason
        for name, part in parts.items()
        for key, reason in part.failures.items()
    }
    scored, cached = (sum(getattr(part, name) for part in parts.values()) for name in ("scored", "cached"))
    return Evaluation(results, scored, cached, failures)


def _each(given: Any) -> tuple[Any, ...]:
    """What a caller has several of, or one."""
    return tuple(given) if isinstance(given, Iterable) and not isinstance(given, str) else (given,)


def _name(refiner: str | os.PathLike[str] | object) -> str:
    """A refiner as `locate` takes it as a text: what is a path stays one."""
    if isinstance(refiner, str):
        return refiner
    if not isinstance(refiner, os.PathLike):
        got = f"a {type(refiner).__name__}" if isinstance(refiner, Refiner) else repr(refiner)
        raise ParameterError(f"refiners: expected a name or a path, got {got}")
    return os.path.join(".", refiner)  # noqa: PTH118 (a Path has no "./", which tells it from a name)
