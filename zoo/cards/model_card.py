"""The model card: a README with a YAML header that the Hub reads, made of a checkpoint's records and metrics."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import mean
from types import MappingProxyType
from typing import Any

from huggingface_hub import EvalResult, ModelCardData

from coarsekit.hub.markdown import cite, markdown_link
from zoo.cards.score_section import Sentences, scores
from zoo.cards.training_section import training
from zoo.checkpoints.metrics import Metrics, ScoreRow, rows_by_conditions
from zoo.checkpoints.sources import Source, sources, steps
from zoo.variants import variant_named

NOTHING = Metrics()

_TEXT = """
# {name}

Refines the circles and ellipses drawn on a fundus photograph into pixel masks of the lesions inside them.

- **Variant** `{variant}`: {summary}
- **Configuration**: {fields}
- **Trained on**: {trained_on}
- **For** research, and for preparing annotations that a person then checks. No medical device.
{notes}
## Use

It is a refiner of `zoo`, which comes with `coarsekit`:

```python
import coarsekit, zoo

refiner = zoo.from_pretrained("{place}")
image, annotation = coarsekit.read_image("image.png"), coarsekit.read_annotation("ellipses.json")
refined = refiner.refine(image, annotation)  # a boolean mask for each lesion class
```

```sh
zoo refine image.png ellipses.json --refiner {place}
```

## How good it is

{measured}

## Training

{training}

`training.json` is the record: photographs, parameters, seed, validation curve. `config.json` has every choice.

## Training data and licence

{sources}

## Intended use and limits

For research, and for preparing annotations that a person then checks. It is **no medical device, and no diagnosis
follows from its masks**.

- {photographs} Other cameras, populations and lesion classes are untested unless a table
  above has them.
- It refines what was drawn: lesions away from every drawing are not looked for.
- It learned from coarse annotations that were simulated from fine masks, not from people's own.

## Citation

The method is that of Q. Yu, K. Dang, Z. Zhou, Y. Chen, X. Ding, *Coarse Retinal Lesion Annotations Refinement via
Prototypical Learning*, [arXiv:2208.14294](https://arxiv.org/abs/2208.14294), 2022; the data are cited above.
"""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a card is about.

    ``name``: a title. ``place``: what `from_pretrained` takes. ``config``, ``record``, ``rows``: config.json,
    training.json and the rows of metrics.json; ``robustness``: those of ``zoo robustness`` in it. ``summary``: a
    sentence on the variant. ``notes``: people's own words. ``sentences``: the measures beside IoU.
    """

    name: str
    place: str
    config: Mapping[str, Any]
    record: Mapping[str, Any]
    rows: Sequence[ScoreRow]
    summary: str
    notes: str
    sources: Sequence[Source]
    robustness: Sequence[ScoreRow] = ()
    sentences: Sentences = field(default_factory=dict)


def card_text(
    name: str,
    config: Mapping[str, Any],
    record: Mapping[str, Any],
    metrics: Metrics = NOTHING,
    notes: str = "",
    place: str = "",
    sentences: Sentences = MappingProxyType({}),
) -> str:
    """The card of a refiner, from what its files have.

    Args:
        name: The title; after the last ``/``, where it is a path or a repository. Empty: the variant's name.
        config: What config.json has.
        record: What training.json has; empty where there is none.
        metrics: The rows of metrics.json.
        notes: People's own words, Markdown.
        place: What `zoo.from_pretrained` takes; ``name`` by default.
        sentences: The measures beside IoU, as `zoo.evaluation.measures.CARD_SENTENCES` has them.

    Returns:
        The text of README.md; the same files give the same text.

    Raises:
        RefinerError: When the config names no variant of this zoo.
    """
    variant = config["variant"]
    return model_card(
        Subject(
            name=name.rstrip("/").rpartition("/")[2] or variant,
            place=place or name or "ORG/NAME",
            config=config,
            record=record,
            rows=metrics.rows,
            summary=variant_named(variant).summary,
            notes=notes,
            sources=sources(config, record),
            robustness=metrics.robustness,
            sentences=sentences,
        )
    )


def model_card(subject: Subject) -> str:
    """The text of README.md."""
    fields = subject.config["config"]
    simple = {name: value for name, value in fields.items() if not isinstance(value, Mapping)}
    seen = {image for step in steps(subject.record) for image in step.get("training_images", ())}
    text = _TEXT.format(
        name=subject.name,
        place=subject.place,
        variant=subject.config["variant"],
        summary=subject.summary,
        fields=", ".join(f"{name} {_plain(value)}" for name, value in simple.items()) or "see `config.json`",
        trained_on=subject.config.get("trained_on") or "unknown data",
        notes=f"\n{subject.notes.strip()}\n" if subject.notes.strip() else "",
        measured=scores(subject.rows, subject.robustness, subject.name, subject.place, subject.sentences),
        training=training(steps(subject.record)),
        sources="\n\n".join(map(_licence, subject.sources))
        or "Unknown: the record names no dataset. Ask who trained it.",
        photographs=f"It was trained on {len(seen)} photographs."
        if seen
        else "It has seen no data but those named above.",
    )
    return f"---\n{header(subject).to_yaml()}\n---\n{text}"


def header(subject: Subject) -> ModelCardData:
    """The fields that the Hub reads, measured metrics in its form ``model-index`` among them."""
    data = ModelCardData(
        library_name="coarsekit",
        pipeline_tag="image-segmentation",
        datasets=[source.name for source in subject.sources] or None,
        tags=["medical", "retina", "fundus", "lesion", "annotation-refinement", "coarsekit", subject.config["variant"]],
        model_name=subject.name if subject.rows else None,
        eval_results=results(subject) or None,
    )
    licences = {source.licence for source in subject.sources}
    for name, value in (licences.pop().fields() if len(licences) == 1 else {"license": "other"}).items():
        if value:  # an address that nobody stated is no link
            data[name] = value
    return data


def results(subject: Subject) -> list[EvalResult]:
    """One result for each table's lesion classes and their average: mean IoU in percent, as the tables have it."""
    titles = {source.name: source.title for source in subject.sources}
    return [
        EvalResult(
            task_type="image-segmentation",
            task_name="refinement of drawn ellipses into lesion masks",
            dataset_type=dataset,
            dataset_name=titles.get(dataset, dataset),
            dataset_config=f"style {style}, reduction {reduction:g}, seed {seed or 0}",
            dataset_split=split,
            dataset_args={"style": style, "reduction": reduction, "seed": seed or 0},
            metric_type="mean_iou",
            metric_name=f"IoU {lesion}, percent",
            metric_value=round(value, 2),
        )
        for (dataset, split, style, reduction, seed, *_), rows in rows_by_conditions(subject.rows).items()
        for lesion, value in [*((row["lesion"], row["iou"]) for row in rows), ("average", mean(r["iou"] for r in rows))]
    ]


def _plain(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def _licence(source: Source) -> str:
    licence = source.licence
    name = markdown_link(licence.name, licence.url)
    terms = (
        f"The weights derive from it under {name}."
        if licence.redistribution
        else f"Its licence, {name}, does not let the data be passed on; ask its owners what "
        "that means for weights before you pass these on."
    )
    return f"**{source.title}** (`{source.name}`). {terms} {cite(source.citation)}"
