"""A training record in words: what was trained on what, how, for how long, and how its validation went."""

from collections.abc import Mapping, Sequence
from typing import Any

Step = Mapping[str, Any]

_SHARES = {
    "camera_augmentation": "as by another camera",
    "negatives": "on retina without the class",
    "synthetic": "with a painted lesion of no class",
}
"""What pairs were made, by the field of the recipe that is their share."""


def training(steps: Sequence[Step]) -> str:
    """A numbered line for each training, in the order in which they were done, without fields that are not there."""
    if not steps:
        return "Nothing is recorded of its training."
    return "\n".join(f"{place}. {_step(step)}" for place, step in enumerate(steps, 1))


def _step(step: Step) -> str:
    parts = [f"`{step['data']}`" if step.get("data") else "Data that the record does not name"]
    images, held = step.get("training_images"), step.get("validation_images")
    if images and (held or step.get("recipe")):
        chosen = f"{len(held)} others held out to choose the epoch and threshold" if held else "none held out"
        parts.append(f"{len(images)} photographs trained on, {chosen}")
    if isinstance(step.get("recipe"), Mapping):
        parts.append(_recipe(step["recipe"], len(step.get("history", ()))))
    if isinstance(step.get("training_iou"), Mapping):
        parts.append(_fitted(step))
    if step.get("history"):
        parts.append(_curve(step))
    return "; ".join(parts) + "."


def _recipe(recipe: Step, epochs: int) -> str:
    said = ["from ImageNet features"] if recipe.get("pretrained") else []
    if recipe.get("start"):
        said.append("from the weights of the training before")
    if recipe.get("styles"):
        said.append(f"styles {', '.join(map(str, recipe['styles']))}")
    if recipe.get("reductions"):
        said.append(f"reduction {', '.join(f'{value:g}' for value in recipe['reductions'])}")
    if epochs:
        said.append(f"{epochs} epochs" + (f" of {recipe['samples']} pairs" if recipe.get("samples") else ""))
    said += [f"{100 * recipe[share]:g} % of the pairs {words}" for share, words in _SHARES.items() if recipe.get(share)]
    if recipe.get("batch"):
        said.append(f"batch {recipe['batch']}")
    if recipe.get("learning_rate"):
        said.append(f"learning rate {recipe['learning_rate']:g} at first")
    if "seed" in recipe:
        said.append(f"seed {recipe['seed']}")
    return ", ".join(said)


def _fitted(step: Step) -> str:
    scores = (
        f"style {style}: " + ", ".join(f"{lesion} {iou:.1f}" for lesion, iou in lesions.items() if lesion != "other")
        for style, lesions in step["training_iou"].items()
    )
    seed = f", seed {step['seed']}" if "seed" in step else ""
    return f"fitted at reduction {step.get('reduction', 1.0):g}{seed}, to an IoU in percent of {'; '.join(scores)}"


def _curve(step: Step) -> str:
    history = step["history"]
    minutes = sum(line.get("seconds", 0) for line in history) / 60
    scores = [line["validation_iou"] for line in history if line.get("validation_iou") is not None]
    if not scores:
        return f"{minutes:.0f} minutes"
    best = max(range(len(scores)), key=scores.__getitem__)
    curve = f"validation IoU {scores[0]:.1f} % after the first epoch, {scores[best]:.1f} % at best (epoch {best + 1})"
    return f"{curve}, {scores[-1]:.1f} % at the end; {minutes:.0f} minutes"
