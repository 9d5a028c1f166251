"""Values that never change and come again and again, as parts of others that travel as JSON."""

from __future__ import annotations

from collections import OrderedDict
from functools import partial
from typing import Any

from pydantic import BaseModel, GetCoreSchemaHandler, ValidationInfo, ValidatorFunctionWrapHandler
from pydantic_core import CoreSchema, to_json
from pydantic_core.core_schema import with_info_wrap_validator_function

KEPT = 2000
"""So many are known at once; the oldest are forgotten first."""

_read: OrderedDict[tuple[type, bytes], Any] = OrderedDict()
"""Read by several threads: each step on it is one of the interpreter's."""


def _read_once(
    kind: type[BaseModel], written: object, read: ValidatorFunctionWrapHandler, info: ValidationInfo
) -> Any:
    if isinstance(written, kind):
        return written
    if info.mode != "json":
        return read(written)
    name = (kind, to_json(written))
    found = _read.get(name)
    if found is None:
        found = _read[name] = read(written)
        if len(_read) > KEPT:
            _read.popitem(last=False)
    return found


class ReadOnce(BaseModel):
    """What was read from this JSON before is not read anew: a deal brings its playbook to every activity.

    So all that it came with share one, and what is reckoned from it can be kept by its identity.
    """

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Around all of the kind's own checks, which a validator of this class would be within."""
        return with_info_wrap_validator_function(partial(_read_once, cls), handler(source))
