"""Recipes in files: bundled TOML files, the user's own, and the training.json of an earlier training."""

import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, get_origin, get_type_hints

from pydantic import create_model

from coarsekit.errors import ParameterError, did_you_mean
from coarsekit.validation import load_toml, validated
from zoo.checkpoints.folder import locate, read_config
from zoo.models.base import network_class
from zoo.training.recipe import Recipe
from zoo.variants import variant_named

_BUNDLED = Path(__file__).parents[1] / "recipes"
_CONFIG = "config"
_TYPES = {field.name: get_type_hints(Recipe)[field.name] for field in fields(Recipe)}
_FIELDS: dict[str, Any] = {name: (kind, None) for name, kind in _TYPES.items()}
_Content: Any = create_model("_Content", **_FIELDS)


def list_recipes() -> tuple[str, ...]:
    """Names of the bundled recipes."""
    return tuple(sorted(path.stem for path in _BUNDLED.glob("*.toml")))


def read_recipe(name: str) -> dict[str, Any]:
    """The fields that a recipe names.

    Args:
        name: A bundled recipe, a TOML file with the fields of `Recipe` and a table ``[config]`` of the network's, or
            the training.json of an earlier training.

    Returns:
        The named fields only, as `make_recipe` takes them.

    Raises:
        ParameterError: There is no such recipe, or it has an unknown field or a value of another type.
    """
    if name in list_recipes():
        path = _BUNDLED / f"{name}.toml"
    elif (path := Path(name)).suffix == ".json":
        return checked(_recorded(path), str(path))
    elif not path.is_file():
        raise ParameterError(
            f"no recipe {name!r}; expected a TOML file, a training.json, or one of {', '.join(list_recipes())}"
            f"{did_you_mean(name, list_recipes())}"
        )
    return checked(load_toml(path, ParameterError, "name a recipe that is there"), str(path))


def parse_settings(texts: Iterable[str]) -> dict[str, Any]:
    """Fields and values from texts such as ``width=32``.

    Args:
        texts: ``FIELD=VALUE`` each. A value is TOML; values with commas between them are a list, ``none`` is no value,
            and what is not TOML is a text: ``batch=16``, ``styles=human,paper``, ``start=first``, ``max_window=none``.

    Returns:
        The values by field.

    Raises:
        ParameterError: A text without ``=``.
    """
    settings = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise ParameterError(f"a setting must be FIELD=VALUE such as width=32, got {text!r}")
        settings[name.strip()] = _value(value.strip())
    return settings


def make_recipe(
    content: Mapping[str, Any], settings: Mapping[str, Any] | None = None, styles: tuple[str, ...] = ()
) -> Recipe:
    """A recipe from its named fields, with some of them replaced.

    Where a refiner to start from is named, its variant is the default; for the same variant, so are the fields of its
    network.

    Args:
        content: What `read_recipe` gives.
        settings: Values by field, of the recipe or of its network, that come before those of ``content``.
        styles: The styles where neither names any; empty for the recipe's default.

    Returns:
        The recipe.

    Raises:
        ParameterError: A field that neither the recipe nor the network has, or a value of another type.
        RefinerError: An unknown variant, or a refiner to start from that is missing or has no weights.
    """
    settings = settings or {}
    own = {name: value for name, value in settings.items() if name in _TYPES and name != _CONFIG}
    content = {**({"styles": styles} if styles else {}), **content, **checked(own, "the settings")}
    config = dict(content.get(_CONFIG, {}))
    if content.get("start"):
        stored = read_config(locate(content["start"]))
        if not variant_named(stored["variant"]).is_network:
            raise ParameterError(f"start={content['start']} names a rule, which has no weights; name a network")
        content.setdefault("variant", stored["variant"])
        if content["variant"] == stored["variant"]:
            config = stored["config"] | config
    variant = content.get("variant", Recipe().variant)
    others = {name: value for name, value in settings.items() if name not in own}
    network_fields = get_type_hints(network_class(variant).config_type) if variant_named(variant).is_network else {}
    for name, value in others.items():
        if name not in network_fields:
            known = [name for name in (*_TYPES, *network_fields) if name != _CONFIG]
            raise ParameterError(
                f"no field {name!r} in the recipe or in the network {variant}; choose one of {', '.join(known)}"
                f"{did_you_mean(name, known)}"
            )
        config[name] = _as_type(network_fields[name], value)
    return Recipe(**{**content, _CONFIG: config})


def _recorded(path: Path) -> Any:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        return record["recipe"]
    except FileNotFoundError:
        raise ParameterError(f"{path}: no such file; name a recipe that is there") from None
    except (OSError, ValueError, KeyError, TypeError):
        raise ParameterError(f"{path}: not the record of a training with a recipe; name another file") from None


def checked(content: Any, where: str) -> dict[str, Any]:
    """The fields of a recipe with their names and types checked, tuples for lists; ``where`` is for the error."""
    if isinstance(content, dict):
        for name in content:
            if name not in _TYPES:
                raise ParameterError(f"{where}: no field {name!r} in a recipe{did_you_mean(name, _TYPES)}")
        content = {name: _as_type(_TYPES[name], value) for name, value in content.items()}
    found: dict[str, Any] = validated(_Content, content, where, error=ParameterError).model_dump(exclude_unset=True)
    return found


def _as_type(kind: Any, value: Any) -> Any:
    """A tuple where one is expected, from a list or a single value; any other value as it is."""
    if get_origin(kind) is not tuple or isinstance(value, tuple):
        return value
    return tuple(value) if isinstance(value, list) else (value,)


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        if "," in text:
            return [_value(part.strip()) for part in text.split(",")]
        return None if text == "none" else text
