"""What comes again and again is read once."""

from __future__ import annotations

from collections import OrderedDict

import pytest
from pydantic import ValidationError

from domain import read_once
from domain.calendar import Calendar
from domain.read_once import ReadOnce
from tests.factories import a_playbook


class Word(ReadOnce):
    text: str


class Number(ReadOnce):
    text: str


def test_what_was_read_before_is_the_same_thing() -> None:
    calendar, book = Calendar(zone="Europe/Berlin").model_dump_json(), a_playbook().model_dump_json()
    assert Calendar.model_validate_json(calendar) is Calendar.model_validate_json(calendar)
    assert type(a_playbook()).model_validate_json(book) is type(a_playbook()).model_validate_json(book)


def test_another_content_or_another_kind_is_another_thing() -> None:
    word, other = Word.model_validate_json('{"text": "1"}'), Word.model_validate_json('{"text": "2"}')
    assert (word.text, other.text) == ("1", "2")
    assert type(Number.model_validate_json('{"text": "1"}')) is Number


def test_what_is_wrong_is_refused_each_time() -> None:
    for _ in range(2):
        with pytest.raises(ValidationError):
            Word.model_validate_json('{"text": 1}')


def test_what_is_made_here_is_a_thing_of_its_own() -> None:
    assert Word.model_validate({"text": "1"}) is not Word.model_validate({"text": "1"})


def test_the_oldest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_once, "_read", OrderedDict())
    monkeypatch.setattr(read_once, "KEPT", 2)
    first, *_ = (Word.model_validate_json(f'{{"text": "{text}"}}') for text in "abc")
    assert len(read_once._read) == 2
    assert Word.model_validate_json('{"text": "a"}') is not first
