"""CSV as CRMs and spreadsheets write it, and mapping files as people write them."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from domain.crm_import.records import Reject, Row
from domain.errors import InvalidInput
from domain.playbook import Playbook
from ops.crm_files import InvalidExport, find_files, needed_columns, read_sheet, write_rejects
from ops.crm_mapping import InvalidMapping, countries, read_mapping
from runtime.playbooks import read_playbook
from tests.factories import a_playbook

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SAMPLE = EXAMPLES / "crm-sample"


def sheet(tmp_path: Path, content: str | bytes) -> Path:
    path = tmp_path / "deals.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def cells(path: Path, *needed: str) -> list[dict[str, str]]:
    return [row.cells for row in read_sheet(path, needed or ("id", "name"))]


@pytest.mark.parametrize(
    "content",
    [
        "id,name\n1,Ada\n",
        "\ufeffid,name\r\n1,Ada\r\n",
        "id;name\n1;Ada\n",
        '"id";"name, or so"\n1;Ada\n'.replace("name, or so", "name"),
        "id\tname\n1\tAda",
        " id | name \n1|Ada\n\n  |  \n",
        "id,name\n1,Ada\n".encode("utf-16"),
    ],
    ids=["plain", "byte-order mark", "semicolons", "quoted heading", "tabs", "bars and blanks", "utf-16"],
)
def test_the_same_table_is_read_however_it_is_written(tmp_path: Path, content: str | bytes) -> None:
    assert cells(sheet(tmp_path, content)) == [{"id": "1", "name": "Ada"}]


def test_a_line_number_is_where_the_row_begins(tmp_path: Path) -> None:
    path = sheet(tmp_path, 'id,name\n1,"Ada\nWinter"\n\n2,"5"" disk"\n')
    assert [(row.line, row.cells["name"]) for row in read_sheet(path, ["id"])] == [
        (2, "Ada\nWinter"),
        (5, '5" disk'),
    ]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "deals.csv is empty. Its first line must name the columns."),
        (
            'id,name\n1,Ada\n2,"Bruno\n3,Chiara\n',
            (
                'deals.csv, line 3: a quote (") is opened here and never closed. '
                'Close it, or write "" where a quote is meant.'
            ),
        ),
        (
            'id,name\n1,"Ada\n' + "2,Bruno\n" * 40_000,
            (
                'deals.csv, line 2: a quote (") is opened here and never closed. '
                'Close it, or write "" where a quote is meant.'
            ),
        ),
        (
            'id,name\n1,"Ada" Winter\n',
            (
                'deals.csv, line 2: text follows a closing quote ("). '
                'Write "" where a quote is meant inside of a value.'
            ),
        ),
        (
            "id,nom\n1,Ada\n",
            (
                "deals.csv has no column name. It has: id, nom (with ',' between them). "
                "Correct the heading, or the column in the mapping."
            ),
        ),
        ("id,name,id\n", "deals.csv has the column id twice. Rename one of them."),
        (
            b"id,name\n1,Ada\n2,M\xfcller\n",
            "deals.csv, line 3: this is not UTF-8 text. Save the file as UTF-8.",
        ),
    ],
    ids=["empty", "quote left open", "long after it", "after a quote", "column", "column twice", "latin-1"],
)
def test_a_file_that_cannot_be_read_says_where_and_why(
    tmp_path: Path, content: str | bytes, sentence: str
) -> None:
    with pytest.raises(InvalidExport) as refused:
        read_sheet(sheet(tmp_path, content), ["id", "name"])
    assert refused.value.detail == sentence


def test_a_row_that_does_not_fit_is_kept_for_the_rejects(tmp_path: Path) -> None:
    path = sheet(tmp_path, "id,name\n1\n2,Bruno,3\n4,a\0b\n5,Dov\n")
    assert [(row.line, row.wrong) for row in read_sheet(path, ["id"])] == [
        (2, "the row has 1 values, and the heading has 2 columns"),
        (3, "the row has 3 values, and the heading has 2 columns"),
        (4, "the row holds a null character; take it out"),
        (5, None),
    ]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    mapping = read_mapping(SAMPLE / "mapping.yaml").mapping
    with pytest.raises(InvalidExport, match=r"There is no .*nowhere"):
        find_files(tmp_path / "nowhere", mapping)
    with pytest.raises(InvalidExport, match=r"sales_teams\.csv is missing"):
        find_files(tmp_path, mapping)


def test_the_deals_may_be_in_a_file_of_another_name(tmp_path: Path) -> None:
    mapping = read_mapping(SAMPLE / "mapping.yaml").mapping
    for name in ("accounts.csv", "products.csv", "sales_teams.csv"):
        (tmp_path / name).touch()
    deals = tmp_path / "open-deals.csv"
    deals.touch()
    assert find_files(deals, mapping)["opportunities"] == deals
    assert needed_columns(mapping)["accounts"][:3] == ["account", "sector", "office_location"]


def test_rejects_are_a_table_that_a_spreadsheet_opens(tmp_path: Path) -> None:
    row = Row("deals.csv", 7, {}, ("D-1", 'say "hi"', "a\0b"))
    path = tmp_path / "rejects.csv"
    write_rejects(path, [Reject(row, "D-1", ("stage", "opened"), "stage is empty; opened is empty")])
    with path.open(newline="") as file:
        assert list(csv.reader(file)) == [
            ["file", "line", "id", "field", "reason", "row"],
            [
                "deals.csv",
                "7",
                "D-1",
                "stage opened",
                "stage is empty; opened is empty",
                'D-1,"say ""hi""",a\\0b',
            ],
        ]
    with pytest.raises(InvalidInput, match="choose a file with --rejects"):
        write_rejects(tmp_path, [])


def test_the_mapping_that_ships_fits_the_playbook_that_ships() -> None:
    definition = read_playbook(EXAMPLES / "playbooks" / "it-software.yaml")
    book = Playbook.model_validate({**definition.model_dump(), "version": 1})
    read_mapping(SAMPLE / "mapping.yaml").check(book)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("currency: USD", "currency: ABC", ":5: currency: there is no currency ABC (ISO 4217)"),
        (
            "currency: USD",
            "currency: USD\ntime_zone: Mars/Base",
            ":6: time_zone: there is no time zone 'Mars/Base'; write it like Europe/Berlin",
        ),
        ("playbook: it", "playbok: it", ":4: playbok: there is no such field; did you mean playbook?"),
        ("status: lost", "status: gone", "stages.Lost.status: must be"),
        ("opened: 2017-12-31", "opened: yesterday", "blanks.opened: "),
    ],
)
def test_a_mapping_that_is_wrong_says_the_line_and_the_field(
    tmp_path: Path, before: str, after: str, message: str
) -> None:
    path = tmp_path / "mapping.yaml"
    path.write_text((SAMPLE / "mapping.yaml").read_text().replace(before, after))
    with pytest.raises(InvalidMapping) as refused:
        read_mapping(path)
    assert message in refused.value.detail


def test_stages_must_be_those_of_the_playbook() -> None:
    with pytest.raises(InvalidMapping) as refused:
        read_mapping(SAMPLE / "mapping.yaml").check(a_playbook())
    assert "stages.Prospecting.stage: the playbook joint-software has no stage 'joint-qualification'" in str(
        refused.value
    )


def test_countries_are_known_by_name_and_code() -> None:
    known = countries()
    assert (known["united states"], known["germany"], known["us"]) == ("US", "DE", "US")
    assert "european union" not in known
