"""The dataset card: a README whose YAML header the Hub and `datasets` read, and whose tables are made by code."""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from math import nan
from typing import Any

from huggingface_hub import DatasetCard, DatasetCardData

from coarsekit.datasets.base import Dataset
from coarsekit.export.config import ExportConfig, configuration, published
from coarsekit.export.schema import card_features
from coarsekit.export.shards import LesionCounts, ShardContents
from coarsekit.hub.markdown import cite, markdown_link, markdown_table
from coarsekit.simulation.styles import STYLES

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))

ExportContents = Mapping[tuple[float, str], ShardContents]
"""What the files of each reduction factor and split contain."""

_TEXT = """
# {title}, circled

Paired **coarse** and **fine** lesion masks on retinal photographs, for networks that turn circles into pixel masks.
The {pairs} pairs come from {title} ({splits}). Each is a patch around one ellipse of an annotator who circled the
lesions instead of painting them. The fine masks are the dataset's own; the ellipses were simulated from them by
`coarsekit`, in the style `{style}` with seed {seed}.

![Pairs: the patch, the coarse outline dashed, the fine outline solid, in the colour of the class]({picture})

Each pair above: the patch, the same with its coarse mask's outline dashed, and with its fine one's solid.

```python
from datasets import load_dataset

pairs = load_dataset("{place}", "{first}", split="{split}")
pairs[0]["image"], pairs[0]["coarse"], pairs[0]["fine"]
```

## Contents

One configuration for each reduction factor: where a photograph shows *n* lesions, *n* / reduction ellipses were drawn.
`floor` is the mean overlap (IoU in percent) of a pair's coarse with its fine mask: what a refinement starts from.

{table}

| column | |
|---|---|
| `image` | the patch, RGB, {size} |
| `coarse` | the ellipses of the class in the window, 0 and 255 |
| `fine` | the pixels of the class in the window, 0 and 255 |
| `lesion` | class: {lesions} |
| `ellipse` | the one that the window was laid around: centre `cx, cy` and semi-axes `rx, ry` in px of the photograph, \
`angle` in degrees clockwise from the x axis to the `rx` axis |
| `window` | left `x`, top `y` and `side` of the square window, px of the photograph; black beyond its edge |
| `reduction`, `style`, `seed` | how the ellipses were drawn |
| `photograph`, `source_image`, `split`, `dataset`, `licence` | where the pair comes from; keep the pairs of one \
photograph on one side of any split |

## Provenance

`provenance.json` names every photograph and every parameter; the same command makes the same rows again:

```sh
{command}
```

The ellipses are simulated, and masks cut from one photograph overlap where its lesions lie close together.

## Licence and citation

{licence}
"""


def dataset_card(dataset: Dataset, config: ExportConfig, written: ExportContents, picture: str) -> str:
    """The text of README.md; ``written`` has an entry for every reduction factor and split, in the order of the table.

    ``picture``: file name of the picture of pairs beside it.
    """
    splits = list(dict.fromkeys(split for _, split in written))
    text = _TEXT.format(
        title=dataset.title,
        pairs=f"{sum(contents.rows for contents in written.values()):,}",
        splits=f"{'split' if len(splits) == 1 else 'splits'} {', '.join(splits)}",
        style=config.style.name,
        seed=config.seed,
        picture=picture,
        place=f"FOLDER-OR-USER/{dataset.name}-coarse",
        first=configuration(config.reductions[0]),
        split=published(next((split for (_, split), contents in written.items() if contents.rows), splits[0])),
        table=_table(statistics(written, dataset.lesions)),
        size=f"{config.size} × {config.size} px" if config.size else "at the window's own size",
        lesions=", ".join(f"{place} {name}" for place, name in enumerate(dataset.lesions)),
        command=_command(dataset, config),
        licence=_licence(dataset),
    )
    return str(DatasetCard(f"---\n{_header(dataset, config, written).to_yaml()}\n---\n{text}"))


def statistics(written: ExportContents, lesions: Sequence[str]) -> list[dict[str, Any]]:
    """Per configuration, split and lesion class: photographs, pairs and the mean floor in percent, NaN if undefined."""
    return [
        {
            "configuration": configuration(reduction),
            "split": split,
            "lesion": lesion,
            "photographs": counts.photographs,
            "pairs": counts.pairs,
            "floor_iou": 100 * counts.floor / counts.compared if counts.compared else nan,
        }
        for (reduction, split), contents in written.items()
        for lesion in lesions
        if (counts := contents.lesions.get(lesion, LesionCounts())).pairs
    ]


def _header(dataset: Dataset, config: ExportConfig, written: ExportContents) -> DatasetCardData:
    rows = sum(contents.rows for contents in written.values())
    data = DatasetCardData(
        pretty_name=f"{dataset.title}, circled",
        task_categories=["image-segmentation"],
        tags=["medical", "retina", "fundus", "lesion", "weak-supervision", "coarsekit"],
        annotations_creators=["machine-generated"],
        size_categories=[next((name for bound, name in _SIZES if rows < bound), "n>1M")],
    )
    for name, value in dataset.licence.fields().items():
        if value:  # an address that nobody stated is no link
            data[name] = value
    infos: list[dict[str, Any]] = []
    configs: list[dict[str, Any]] = []
    for reduction in config.reductions:
        name = configuration(reduction)
        own = {published(split): contents for (r, split), contents in written.items() if r == reduction}
        filled = {split: contents for split, contents in own.items() if contents.rows}
        infos.append(
            {
                "config_name": name,
                "features": card_features(dataset.lesions),
                "splits": [
                    {"name": split, "num_bytes": part.unpacked, "num_examples": part.rows}
                    for split, part in filled.items()
                ],
                "download_size": sum(contents.packed for contents in own.values()),
                "dataset_size": sum(contents.unpacked for contents in own.values()),
            }
        )
        files = [{"split": split, "path": f"{name}/{split}-*.parquet"} for split in filled]
        configs.append({"config_name": name, "data_files": files})
    configs[0]["default"] = True
    infos.sort(key=lambda info: str(info["config_name"]))
    data["dataset_info"] = infos if len(infos) > 1 else infos[0]
    data["configs"] = configs
    return data


def _licence(dataset: Dataset) -> str:
    name, own = markdown_link(dataset.licence.name, dataset.licence.url), cite(dataset.citation)
    if not dataset.licence.redistribution:
        return f"{name}, as {dataset.title} itself, which may **not be passed on**: nor may this. {own}"
    return f"{name}, as {dataset.title} itself. Changes: cut into patches, with simulated ellipses added. {own}"


def _command(dataset: Dataset, config: ExportConfig) -> str:
    reader = dataset.reader
    source = "sample" if reader == "sample" else f"{reader}:PATH"
    split = f" --split {config.split}" if config.split else ""
    reductions = ",".join(f"{reduction:g}" for reduction in config.reductions)
    size = config.size or "native"
    style = config.style.name if config.style.name in STYLES else f"{config.style.name}.toml"
    return (
        f"coarsekit export {source}{split} --reduction {reductions} --style {style} --seed {config.seed} "
        f"--size {size} -o FOLDER    # coarsekit {version('coarsekit')}"
    )


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    body = [[f"{value:.1f}" if isinstance(value, float) else str(value) for value in row.values()] for row in rows]
    return markdown_table([name.replace("_", " ") for name in rows[0]], body, names=3)
