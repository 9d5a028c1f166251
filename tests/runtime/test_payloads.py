"""What a process decides reaches its activity as the very thing; everything else as JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel
from temporalio.api.common.v1 import Payload

from domain.opportunity.draft import Outcome
from runtime import payloads
from runtime.payloads import DATA_CONVERTER, JsonConverter
from tests.factories import a_deal


class Word(BaseModel):
    text: str


def an_outcome(version: int = 2) -> Outcome:
    deal = a_deal().deal
    deal.version = version
    return Outcome(opportunity=deal, entries=())


def written(converter: JsonConverter, value: object) -> Payload:
    payload = converter.to_payload(value)
    assert payload is not None
    return payload


def there_and_back(converter: JsonConverter, value: object, kind: type) -> Any:
    return converter.from_payload(written(converter, value), kind)


def test_a_change_is_handed_over_once_and_then_read():
    converter, change = JsonConverter(), an_outcome()
    payload = written(converter, change)
    assert converter.from_payload(payload, Outcome) is change
    again = converter.from_payload(payload, Outcome)
    assert again == change
    assert again is not change


def test_another_change_is_another():
    converter, one, other = JsonConverter(), an_outcome(1), an_outcome(2)
    assert one != other
    first, second = (written(converter, each) for each in (one, other))
    assert converter.from_payload(second, Outcome) is other
    assert converter.from_payload(first, Outcome) is one


def test_a_worker_that_did_not_decide_it_reads_it():
    change = an_outcome()
    read = JsonConverter().from_payload(written(JsonConverter(), change), Outcome)
    assert read == change


def test_what_a_process_reads_is_read_always():
    converter, word = JsonConverter(), Word(text="a")
    assert there_and_back(converter, word, Word) == word
    assert there_and_back(converter, word, Word) is not word


def test_who_asks_for_another_kind_gets_that():
    converter, change = JsonConverter(), an_outcome()
    assert isinstance(there_and_back(converter, change, dict), dict)


def test_the_oldest_are_forgotten(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(payloads, "KEPT", 2)
    converter, changes = JsonConverter(), [an_outcome(version) for version in (1, 2, 3)]
    on_their_way = [written(converter, each) for each in changes]
    read = [converter.from_payload(each, Outcome) for each in on_their_way]
    assert [each is change for each, change in zip(read, changes, strict=True)] == [False, True, True]


@pytest.mark.parametrize(
    "value", [datetime(2027, 1, 5, tzinfo=UTC), Decimal("27.50"), "text", None, b"bytes"]
)
def test_dates_decimals_and_the_plain_ones_come_back(value: object):
    converter = DATA_CONVERTER.payload_converter
    assert converter.from_payload(converter.to_payload(value), type(value)) == value
