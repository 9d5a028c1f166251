"""Fields of forms: what a browser makes of them."""

from __future__ import annotations

from html.parser import HTMLParser

from api.web.choices import Meant
from api.web.filters import MANY_CHOICES
from api.web.rendering import environment

MACROS = '{% from "macros/forms.html" import field, area, choose, money %}'


class Attributes(HTMLParser):
    """The attributes of each element that can be typed into, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[dict[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"input", "textarea", "select"}:
            self.found.append(dict(attrs))


def attributes(macro: str) -> dict[str, str | None]:
    parser = Attributes()
    parser.feed(environment().from_string(MACROS + "{{ " + macro + " }}").render())
    return parser.found[0]


def test_a_field_says_each_thing_by_itself() -> None:
    said = attributes(
        'field("title", "Title", {}, {"title": "no"}, hint="h", placeholder="ERP", maxlength=200,'
        ' list="names", inputmode="text", min="1", focus=true)'
    )
    assert set(said) == {
        *("class", "id", "name", "type", "value", "autocomplete", "placeholder", "maxlength", "list"),
        *("inputmode", "min", "required", "autofocus", "aria-invalid", "aria-describedby"),
    }
    assert (said["maxlength"], said["aria-describedby"]) == ("200", "title-wrong")
    assert not {"required", "autofocus"} & set(attributes('field("a", "A", {}, {}, required=false)'))


def test_so_do_texts_and_choices() -> None:
    for macro in (
        'area("a", "A", {}, {}, focus=true, placeholder="p")',
        'choose("a", "A", [], {}, {}, focus=true)',
    ):
        said = set(attributes(macro))
        assert {"id", "name", "required", "autofocus"} <= said
        assert said <= {"class", "id", "name", "rows", "maxlength", "placeholder", "required", "autofocus"}


def test_where_there_is_too_much_to_choose_from_one_may_type() -> None:
    def rendered(number: int) -> list[dict[str, str | None]]:
        parser = Attributes()
        options = [(str(n), f"Person {n}") for n in range(number)]
        macro = '{{ choose("who_id", "Who", options, {"who_id-typed": "ann@x.example"}, {}) }}'
        parser.feed(environment().from_string(MACROS + macro).render(options=options))
        return parser.found

    [few] = rendered(MANY_CHOICES - 1)
    assert "required" in few
    many, typed = rendered(MANY_CHOICES)
    assert "required" not in many
    assert (typed["name"], typed["value"]) == ("who_id-typed", "ann@x.example")


def test_nor_does_a_filter_of_many_list_all() -> None:
    def rendered(number: int, meant: Meant) -> list[dict[str, str | None]]:
        parser = Attributes()
        macro = (
            '{% from "pipeline/parts.html" import pick_or_type %}'
            '{{ pick_or_type("partner", "Partner", meant, options, "Any", "name", "Or a name") }}'
        )
        options = [(n, f"Partner {n}") for n in range(number)]
        parser.feed(environment().from_string(macro).render(options=options, meant=meant))
        return parser.found

    [few] = rendered(MANY_CHOICES - 1, Meant())
    assert few["name"] == "partner"
    _, typed = rendered(MANY_CHOICES, Meant())
    assert (typed["name"], typed["aria-label"], typed["value"]) == ("partner-typed", "Partner by name", "")
    _, typed = rendered(1, Meant(typed="Akme"))
    assert typed["value"] == "Akme", "what named nobody is there to be mended"
