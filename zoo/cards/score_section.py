"""What a card says of how good a refiner is: tables of what was measured, and the commands that measured it."""

from collections.abc import Mapping, Sequence
from statistics import mean

from coarsekit.hub.markdown import markdown_table
from coarsekit.simulation.styles import STYLES
from zoo.checkpoints.metrics import AVERAGE, Conditions, ScoreRow, rows_by_conditions

Sentences = Mapping[str, Mapping[str, str]]
"""Measures beside IoU: by the beginning of a sentence, what each is called by its field of a row."""

_SCORE = (
    "IoU in percent with the fine masks, image level: the mean over the photographs that show the lesion, with the "
    "standard deviation in brackets. *floor* is the simulated drawing as it is; `shrink` is a rule that never looks at "
    "the photograph: what the refiner scores above it comes from the photograph."
)
_UNMEASURED = "Not measured. `zoo evaluate` measures it on photographs with fine masks."

_ROBUST = (
    "The same photographs as other cameras would have taken them, with the same ellipses: IoU in percent at reduction "
    "1, and what is lost against the masks of the photograph as it is, cut or scaled alike."
)
_INTERVALS = " In brackets are 95 % intervals."
_EMPTIED = (
    " Last, every ellipse moved to retina without any lesion, where the right answer is nothing: what is found in its "
    "window, in percent of its area."
)


def scores(
    rows: Sequence[ScoreRow], robustness: Sequence[ScoreRow], name: str, place: str, sentences: Sentences
) -> str:
    """A table for each condition that was measured, then one of other cameras and of empty retina, where measured.

    ``name``: the column's; ``place``: what `from_pretrained` takes.
    """
    parts = [
        _head(found, own, place) + "\n\n" + _table(own, name) + _others(own, sentences)
        for found, own in rows_by_conditions(rows).items()
    ]
    text = "\n\n".join([_SCORE, *parts]) if parts else _UNMEASURED
    return text + (f"\n\n{_robustness(robustness, place)}" if robustness else "")


def _head(found: Conditions, rows: Sequence[ScoreRow], place: str) -> str:
    head = f"### Style `{found.style}`, reduction {found.reduction:g}: {_photographs(found.dataset, found.split)}"
    source = _source(found.reader, found.split)
    style = found.style if found.style in STYLES else f"{found.style}.toml"
    command = f"zoo evaluate {source} --refiner {place} --reduction {found.reduction:g} --style {style}"
    seed = f" --seed {found.seed}" if found.seed else ""
    return f"{head}\n\n```sh\n{command}{seed}\n```\n\n{_pins(found.dataset_sha256, found.style_sha256, rows[0])}"


def _pins(data: str, style: str, row: ScoreRow) -> str:
    """What a table is of, by digest, and how many of the photographs the refiner had seen before."""
    seen, images = row.get("dataset_images_seen"), row.get("dataset_images")
    said = "whether it saw them in training is not known" if seen is None else f"{seen} of them seen in training"
    return (
        f"Data `{data[:12]}`, {images} photographs, {said}; style `{style[:12]}`, seed {row['seed']}; weights "
        f"`{row['weights_sha256'][:12]}`; refining version {row['refining_version']}."
    )


def _photographs(dataset: str, split: str) -> str:
    return f"all photographs of `{dataset}`" if split == "all" else f"`{dataset}`, split `{split}`"


def _source(reader: str, split: str) -> str:
    return ("sample" if reader == "sample" else f"{reader}:PATH") + ("" if split == "all" else f" --split {split}")


def _table(rows: Sequence[ScoreRow], name: str) -> str:
    # The rule has no column beside itself, nor where it was not measured.
    blind = name != "shrink" and all(row.get("shrink_iou") is not None for row in rows)
    columns = {"floor_iou": "floor", **({"shrink_iou": "`shrink`"} if blind else {}), "iou": f"`{name}`"}
    *others, last = (_mean(rows, field) for field in columns)
    head = ["lesion", "images", *columns.values()]
    lines = [[row["lesion"], str(row.get("images", "–")), *(_cell(row, field) for field in columns)] for row in rows]
    return markdown_table(head, [*lines, ["average", "", *others, f"**{last}**"]])


def _others(rows: Sequence[ScoreRow], sentences: Sentences) -> str:
    """The other measures, means over the classes; nothing where they were not measured."""
    said = [
        f"{beginning}: {', '.join(f'{phrase} {_mean(rows, field)}' for field, phrase in phrases.items())}."
        for beginning, phrases in sentences.items()
        if all(row.get(field) is not None for row in rows for field in phrases)
    ]
    return f"\n\n{' '.join(said)}" if said else ""


def _robustness(rows: Sequence[ScoreRow], place: str) -> str:
    """Rows of ``zoo robustness`` of one dataset, split and style: a line for each condition."""
    first = rows[0]
    head = f"### Other cameras, and ellipses around nothing: {_photographs(first['dataset'], first['split'])}"
    style = first["style"] if first["style"] in STYLES else f"{first['style']}.toml"
    command = f"zoo robustness {_source(first['reader'], first['split'])} --refiner {place} --style {style}"
    pins = _pins(first["dataset_sha256"], first["style_sha256"], first)
    averages = {row["corruption"]: row for row in rows if row["lesion"] == AVERAGE}
    rows = [row for row in rows if row["lesion"] != AVERAGE]
    lesions = list(dict.fromkeys(row["lesion"] for row in rows))
    found: dict[str, dict[str, float]] = {}
    uncut: dict[str, list[float]] = {}
    for row in rows:
        value = row["iou"] if row["false_positive_area"] is None else row["false_positive_area"]
        found.setdefault(row["corruption"], {})[row["lesion"]] = value
        if row.get("whole_iou") is not None:
            uncut.setdefault(row["corruption"], []).append(row["whole_iou"])
    emptied = {row["corruption"] for row in rows if row["false_positive_area"] is not None}
    lines, whole = [], None
    for corruption, values in found.items():
        average = mean(values.values())
        whole = average if whole is None else whole
        cells = [f"{values[lesion]:.1f}" if lesion in values else "–" for lesion in lesions]
        before = mean(uncut[corruption]) if corruption in uncut else whole
        lost = "found" if corruption in emptied else f"{before - average:.1f}"
        own = averages.get(corruption, {})
        lines.append([corruption, *cells, f"{average:.1f}{_interval(own, 'iou')}", lost + _interval(own, "lost")])
    table = markdown_table(["corruption", *lesions, "average", "lost"], lines)
    said = _ROBUST + (_INTERVALS if averages else "") + (_EMPTIED if emptied else "")
    return f"{head}\n\n```sh\n{command}\n```\n\n{said}\n\n{pins}\n\n{table}"


def _interval(row: ScoreRow, field: str) -> str:
    """The 95 % interval of a field, where it was measured."""
    low, high = row.get(f"{field}_low"), row.get(f"{field}_high")
    return "" if low is None or high is None else f" ({low:.1f} to {high:.1f})"


def _cell(row: ScoreRow, field: str) -> str:
    value, spread = row.get(field), row.get(f"{field}_std")
    return "–" if value is None else f"{value:.1f}" + (f" ({spread:.1f})" if spread is not None else "")


def _mean(rows: Sequence[ScoreRow], field: str) -> str:
    values = [row.get(field) for row in rows]
    return "–" if any(value is None for value in values) else f"{mean(map(float, values)):.1f}"  # type: ignore[arg-type]
