"""What almost everything in the domain is made of: values that never change, only make way for others."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Self

from pydantic import BaseModel, ConfigDict

from domain.made import changed


class Value(BaseModel):
    """A frozen part of something: whoever wants another puts another in its place."""

    model_config = ConfigDict(frozen=True)

    def but(self, **changes: Any) -> Self:
        """The value with these changes, which are complete and of the right types: nothing is checked."""
        return changed(self, changes)


class Input(Value):
    """What somebody writes, as a command or in a file: a field that it does not have is refused."""

    model_config = ConfigDict(extra="forbid")


class Labelled(StrEnum):
    """One of several words, kept as in `at_risk` and read as in “At risk”."""

    @property
    def label(self) -> str:
        return self.value.replace("_", " ").capitalize()
