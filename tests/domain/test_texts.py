"""What people write to a deal says something, and can be read and stored everywhere."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from domain.opportunity.state import Note, Reason, Title

KINDS = [TypeAdapter(kind) for kind in (Title, Note, Reason)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", ["Call", "Zwei\nZeilen\tund mehr", "日本", "مرحبا", "👋", "<b>bold</b>"])
def test_every_script_is_taken_as_it_is(kind, text):
    assert kind.validate_python(text) == text


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", ["", " ", "\n\t ", "\u2003", "a\x00b", "\x1b[31m", "a\x7f", "a\x85b"])
def test_what_says_nothing_or_controls_a_terminal_is_refused(kind, text):
    with pytest.raises(ValidationError):
        kind.validate_python(text)


def test_a_note_is_as_long_as_the_api_takes_it():
    assert TypeAdapter(Note).validate_python("n" * 5000)
