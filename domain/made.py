"""Making models of values that are checked already: the rules make thousands a second.

`model_construct` and `model_copy` say the same at several times the cost. What is made here is
frozen, or sets its fields without pydantic: one set of field names serves all of a kind.
"""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel

M = TypeVar("M", bound=BaseModel)

_new = object.__new__
_set_values = vars(BaseModel)["__dict__"].__set__
_set_names = vars(BaseModel)["__pydantic_fields_set__"].__set__
_set_extra = vars(BaseModel)["__pydantic_extra__"].__set__
_set_private = vars(BaseModel)["__pydantic_private__"].__set__
_known: dict[type[BaseModel], tuple[dict[str, Any], set[str]]] = {}
"""Of each kind: what its fields are where nothing is given (never changed in place), and all their names."""


def _learn(kind: type[BaseModel]) -> tuple[dict[str, Any], set[str]]:
    fields = kind.model_fields
    defaults = {
        name: field.get_default(call_default_factory=True, validated_data={})
        for name, field in fields.items()
        if not field.is_required()
    }
    _known[kind] = defaults, set(fields)
    return _known[kind]


def made(kind: type[M], **values: Any) -> M:
    """The model with these values, which are complete and of the right types: nothing is checked."""
    try:
        defaults, names = _known[kind]
    except KeyError:
        defaults, names = _learn(kind)
    model = _new(kind)
    _set_values(model, defaults | values if defaults else values)
    _set_names(model, names)
    _set_extra(model, None)
    _set_private(model, None)
    return model


def changed(model: M, values: dict[str, Any]) -> M:
    """A copy with these values instead; everything else is shared, also what is cached as a property."""
    copy = _new(type(model))
    _set_values(copy, model.__dict__ | values)
    names = model.__pydantic_fields_set__
    _set_names(copy, names if names.issuperset(values) else names | values.keys())
    _set_extra(copy, None)
    _set_private(copy, None)
    return copy
