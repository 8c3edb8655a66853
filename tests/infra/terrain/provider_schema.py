"""Provider schemas read off the CDK Terrain bindings, for the resource types a stack uses.

The bindings are generated from the providers' own schemas; what they keep of it is names, types,
nesting, and what is required. That is enough for Terraform to check a stack offline.
"""

from __future__ import annotations

import builtins
import importlib
import inspect
import typing
from collections.abc import Mapping, Sequence
from functools import cache
from types import ModuleType
from typing import Any

META = {
    *("connection", "count", "depends_on", "for_each", "lifecycle", "provider", "provisioners"),
    "self",
}
"""Arguments of Terraform itself, which no provider declares."""

BUILT_IN = {"terraform_data"}

Kind = tuple[str, Any]
"""("attribute", its Terraform type), ("block", its struct) or ("blocks", its struct)."""


def schemas(stacks: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the schema of every provider, resource and data source the stacks mention."""
    by_provider: dict[str, Any] = {}
    for stack in stacks:
        for provider in stack.get("provider", {}):
            kinds = by_provider.setdefault(provider, {"resources": {}, "data": {}})
            kinds["provider"] = _provider(provider)
        for section, kind in (("resource", "resources"), ("data", "data")):
            for type_name in set(stack.get(section, {})) - BUILT_IN:
                provider, _, rest = type_name.partition("_")
                module = f"data_{type_name}" if kind == "data" else rest
                by_provider[provider][kind][type_name] = _resource(provider, module, type_name)
    return by_provider


@cache
def _provider(provider: str) -> dict[str, Any]:
    module = importlib.import_module(f"cdktn_provider_{provider}.provider")
    config = next(c for name, c in vars(module).items() if name.endswith("ProviderConfig"))
    block = _block(config, module)
    block["attributes"].pop("alias", None)
    return block


@cache
def _resource(provider: str, module_name: str, type_name: str) -> dict[str, Any]:
    package = f"cdktn_provider_{provider}"
    try:
        module = importlib.import_module(f"{package}.{module_name}")
    except ModuleNotFoundError:
        module = importlib.import_module(f"{package}.{type_name}")
    resource = next(
        c for c in vars(module).values() if getattr(c, "TF_RESOURCE_TYPE", None) == type_name
    )
    block = _block(getattr(module, f"{resource.__name__}Config"), module)
    attributes = block["attributes"]
    _add_computed(resource, block, module)
    attributes.setdefault(
        "id", {"type": "string", "required": False, "computed": True, "settable": True}
    )
    return block


@cache
def _base() -> frozenset[str]:
    cdktn = importlib.import_module("cdktn")
    return frozenset(
        {
            *dir(cdktn.TerraformResource),
            *dir(cdktn.TerraformDataSource),
            *dir(cdktn.ComplexObject),
        }
    )


def _add_computed(owner: Any, block: dict[str, Any], module: ModuleType) -> None:
    """Add to a block what only its provider sets: properties that are no arguments."""
    attributes, blocks = block["attributes"], block["blocks"]
    for name, value in inspect.getmembers(owner, lambda member: isinstance(member, property)):
        if name.endswith("_input") or name in attributes or name in blocks or name in _base():
            continue
        kind = _kind(value.fget.__annotations__.get("return"), module)
        known = kind[1] if kind[0] == "attribute" else "dynamic"
        attributes[name] = {"type": known, "required": False, "computed": True, "settable": False}


def _block(struct: Any, module: ModuleType) -> dict[str, Any]:
    attributes, blocks = {}, {}
    for name, parameter in inspect.signature(struct.__init__).parameters.items():
        if name in META:
            continue
        required = parameter.default is parameter.empty
        kind, what = _kind(parameter.annotation, module)
        name = name.removesuffix("_")  # noqa: PLW2901 - the bindings keep clear of keywords
        if kind == "attribute":
            attributes[name] = {
                "type": what,
                "required": required,
                "computed": not required,
                "settable": True,
            }
        else:
            blocks[name] = {
                "nesting": "single" if name == "timeouts" else "list",
                "min": 1 if required else 0,
                "max": 1 if kind == "block" else 0,
                "block": _block(what, module),
            }
    block = {"attributes": attributes, "blocks": blocks}
    output = getattr(module, f"{struct.__name__}OutputReference", None)
    if output is not None:
        _add_computed(output, block, module)
        block["attributes"].pop("internal_value", None)
    return block


def _kind(annotation: Any, module: ModuleType) -> Kind:
    annotation = _resolved(annotation, module)
    origin = typing.get_origin(annotation)
    if origin is typing.Union:
        return _union(typing.get_args(annotation), module)
    if _scalar(annotation):
        return ("attribute", _scalar(annotation))
    if origin in {Mapping, dict}:
        kind, what = _kind(typing.get_args(annotation)[1], module)
        return ("attribute", ["map", what if kind == "attribute" else "dynamic"])
    if origin in {Sequence, list}:
        kind, what = _kind(typing.get_args(annotation)[0], module)
        return ("attribute", ["list", what]) if kind == "attribute" else ("blocks", what)
    return ("block", annotation) if inspect.isclass(annotation) else ("attribute", "dynamic")


def _union(members: Sequence[Any], module: ModuleType) -> Kind:
    resolved = [_resolved(one, module) for one in members if one is not type(None)]
    real = [
        one
        for one in resolved
        if typing.get_origin(one) is not dict and getattr(one, "__name__", "") != "IResolvable"
    ]
    if bool in real:
        return ("attribute", "bool")
    structs = [
        one
        for one in real
        if inspect.isclass(one)
        and (hasattr(one, "__jsii_type__") or one.__module__ == module.__name__)
    ]
    return ("block", structs[0]) if structs else _kind(real[0], module)


def _scalar(annotation: Any) -> str | None:
    if annotation is str:
        return "string"
    if annotation is bool:
        return "bool"
    if annotation in {int, float} or getattr(annotation, "__name__", "") == "Number":
        return "number"
    return None


def _resolved(annotation: Any, module: ModuleType) -> Any:
    """Evaluate an annotation given as text, in the module that wrote it."""
    if isinstance(annotation, typing.ForwardRef):
        annotation = annotation.__forward_arg__
    if isinstance(annotation, str):
        names = vars(module) | {"typing": typing, "builtins": builtins, **_imported()}
        annotation = eval(annotation, _Names(names))  # noqa: S307 - of the installed bindings
    return annotation


class _Names(dict[str, Any]):
    """Names of a module, with the bindings' mangled names of the core libraries."""

    def __missing__(self, name: str) -> Any:
        for library in ("cdktn", "constructs"):
            if name.startswith(f"_{library}_"):
                return importlib.import_module(library)
        raise KeyError(name)


@cache
def _imported() -> dict[str, Any]:
    return {"jsii": importlib.import_module("jsii")}
