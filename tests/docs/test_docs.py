"""What the documents say exists: links, settings, errors, commands, and no place of one machine only."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import cli
from domain.errors import BY_CODE
from runtime.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "NOTICE", *(ROOT / "docs").rglob("*.md")])
PAGES = [document for document in DOCUMENTS if document.suffix == ".md"]
LINK = re.compile(r"\[(?:[^\]\[]|`[^`]*`)*\]\(([^)\s]+)\)")
SKIPPED = re.compile(r"```.*?```", re.DOTALL)


def name(document: Path) -> str:
    return str(document.relative_to(ROOT))


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as code hosts make them."""
    text = SKIPPED.sub("", page.read_text())
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def table_rows(page: str, first_cell: str) -> dict[str, list[str]]:
    """The cells of the table rows whose first code span matches, by that span."""
    rows = {}
    for line in (ROOT / "docs" / page).read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        found = next((re.fullmatch(f"`({first_cell})`", cell) for cell in cells[:2] if "`" in cell), None)
        if line.startswith("|") and found:
            rows[found[1]] = cells
    return rows


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(SKIPPED.sub("", page.read_text())):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), f"{name(page)} links to {target}, which is not there"
        if anchor:
            assert anchor in anchors(there), f"{name(page)} links to {target}; its headings: {anchors(there)}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_no_document_names_a_place_of_one_machine(document: Path) -> None:
    found = re.findall(r"(?<![\w.])/(?:home|root|Users|work|opt|mnt)/\S*", document.read_text())
    assert not found


def test_every_setting_is_documented_with_its_default() -> None:
    rows = table_rows("operations.md", "TANDEM_[A-Z_]+")
    expected = {f"TANDEM_{field.upper()}": info for field, info in Settings.model_fields.items()}
    assert set(rows) == set(expected)
    for variable, info in expected.items():
        default = str(info.default).lower() if isinstance(info.default, bool) else str(info.default or "")
        assert rows[variable][1].strip("`") == default, variable


def test_every_error_code_is_documented_with_its_status() -> None:
    rows = table_rows("api.md", "[a-z_]+")
    domain = {code: error for code, error in BY_CODE.items() if error.__module__ == "domain.errors"}
    domain.pop("error")  # the root of the tree: nothing raises it
    documented = {code: cells for code, cells in rows.items() if cells[0].isdigit()}
    assert {code: int(cells[0]) for code, cells in documented.items()} == {
        code: error.status for code, error in domain.items()
    }


def command(words: list[str]) -> bool:
    """Whether `tandem WORDS…` begins with a command that exists, and names only options that it has."""
    group = typer.main.get_command(cli.app)
    path: list[str] = []
    while words and hasattr(group, "commands"):
        if words[0] not in group.commands:
            return False
        path.append(words[0])
        group = group.commands[words.pop(0)]
    shown = CliRunner().invoke(cli.app, [*path, "--help"], env={"COLUMNS": "200"}).output
    options = [word for word in words if word.startswith("--")]
    return bool(path) and all(option in shown for option in options)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_commands_that_are_named_exist(page: Path) -> None:
    text = page.read_text()
    inline = re.findall(r"`(?:\.venv/bin/)?tandem ([a-z][^`]*)`", text)
    blocks = re.findall(r"(?:^\$ |^|\$\()(?:\.venv/bin/)?tandem ([a-z][^#\n)]*)", text, re.MULTILINE)
    for said in [*inline, *blocks]:
        assert command(said.split()), f"{name(page)} names `tandem {said}`"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_make_targets_that_are_named_exist(page: Path) -> None:
    listed = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for target in re.findall(r"(?:`|^\$ )make ([a-z-]+)", page.read_text(), re.MULTILINE):
        assert f"make {target} " in listed, f"{name(page)} names make {target}"


def test_every_decision_is_listed() -> None:
    listed = (ROOT / "docs/decisions/README.md").read_text()
    pages = [page.name for page in (ROOT / "docs/decisions").glob("0*.md")]
    assert pages
    assert all(f"({page})" in listed for page in pages)


def test_pictures_are_small() -> None:
    for picture in (ROOT / "docs/images").iterdir():
        assert picture.stat().st_size < 200_000, picture.name
