"""Values that never change and come again and again, as parts of others that travel as JSON."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Self

from pydantic import BaseModel, ModelWrapValidatorHandler, ValidationInfo, model_validator
from pydantic_core import to_json

KEPT = 2000
"""So many are known at once; the oldest are forgotten first."""

_read: OrderedDict[tuple[type, bytes], Any] = OrderedDict()
"""Read by several threads: each step on it is one of the interpreter's."""


class ReadOnce(BaseModel):
    """What was read from this JSON before is not read anew: a deal brings its playbook to every activity.

    So all that it came with share one, and what is reckoned from it can be kept by its identity.
    """

    @model_validator(mode="wrap")
    @classmethod
    def _read_once(cls, written: object, read: ModelWrapValidatorHandler[Self], info: ValidationInfo) -> Self:
        if info.mode != "json":
            return read(written)
        name = (cls, to_json(written))
        found: Self | None = _read.get(name)
        if found is None:
            found = _read[name] = read(written)
            if len(_read) > KEPT:
                _read.popitem(last=False)
        return found
