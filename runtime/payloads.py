"""How values travel to Temporal and back: as JSON, by pydantic; what stays in the process is not read anew.

The default converter carries neither dates nor decimals. And a change that a process decides is written
as JSON for the local activity that records it, which the same worker runs a moment later: it is handed
the very change. A worker that has it not, as after a crash or for another try, reads the JSON: so an
activity may need nothing of it that JSON leaves out (fields with `exclude`).
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import PydanticJSONPlainPayloadConverter, PydanticPayloadConverter
from temporalio.converter import CompositePayloadConverter, DataConverter

from domain.approval.draft import ApprovalOutcome
from domain.handoff.draft import HandOffOutcome
from domain.opportunity.draft import Outcome

KEPT = 100
"""So many changes are on their way at once; the oldest are forgotten first."""
_ON_THEIR_WAY: frozenset[type] = frozenset((Outcome, ApprovalOutcome, HandOffOutcome))
"""What goes to activities alone: what comes back to a process is read from its history, always."""


class JsonConverter(PydanticJSONPlainPayloadConverter):
    """JSON; a change is handed over once, to whoever reads just what was written for it.

    Processes write in threads of their own: each step on what is kept is one of the interpreter's.
    """

    def __init__(self) -> None:
        super().__init__()
        self._kept: OrderedDict[bytes, object] = OrderedDict()

    def to_payload(self, value: Any) -> Payload | None:
        payload = super().to_payload(value)
        if payload is not None and type(value) in _ON_THEIR_WAY:
            self._kept[payload.data] = value
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return payload

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        if isinstance(type_hint, type) and type_hint in _ON_THEIR_WAY:
            kept = self._kept.pop(payload.data, None)
            if type(kept) is type_hint:
                return kept
        return super().from_payload(payload, type_hint)


_JSON = JsonConverter()
_OTHERS = tuple(
    each for each in PydanticPayloadConverter().converters.values() if each.encoding != _JSON.encoding
)


class PayloadConverter(CompositePayloadConverter):
    """pydantic's. The SDK makes two for each process and one for each of its steps: all share their parts."""

    def __init__(self) -> None:
        super().__init__(*_OTHERS, _JSON)


DATA_CONVERTER = DataConverter(payload_converter_class=PayloadConverter)
"""For clients, workers and replayers alike."""
