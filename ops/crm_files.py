"""The files of an export: CSV as CRMs and spreadsheets write it, read row by row with line numbers."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from domain.crm_import.mapping import ImportMapping
from domain.crm_import.records import Reject, Row
from domain.errors import InvalidInput

MAX_BYTES = 256 * 1024 * 1024
DELIMITERS = (",", ";", "\t", "|")
_GZIP = b"\x1f\x8b"
_ENCODINGS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


class InvalidExport(InvalidInput, code="invalid_export", title="The export cannot be read"):
    """A file of an export that cannot be read at all; the message names file and line."""


def folder_of(source: Path) -> Path:
    """The folder that the files of an export are in.

    Raises:
        InvalidExport: there is no such folder or file.
    """
    if not source.exists():
        raise InvalidExport(
            f"There is no {source}. Give the folder of the export, or its CSV of opportunities."
        )
    return source if source.is_dir() else source.parent


def find_files(source: Path, mapping: ImportMapping) -> dict[str, Path]:
    """The files of the export by their part in the mapping.

    `source` is the folder, or the CSV file of the opportunities with the others beside it.

    Raises:
        InvalidExport: there is no such folder or file.
    """
    folder = folder_of(source)
    parts = {"people": mapping.people, "accounts": mapping.accounts, "products": mapping.products}
    found = {sheet: folder / part.file for sheet, part in parts.items() if part is not None}
    found["opportunities"] = folder / mapping.opportunities.file if source.is_dir() else source
    for sheet, path in found.items():
        if not path.is_file():
            raise InvalidExport(
                f"{path} is missing. Put it there, or change the file of {sheet} in the mapping."
            )
    return found


def read_sheet(
    path: Path, needed: Iterable[str], *, advice: str = "Correct the heading, or the column in the mapping."
) -> list[Row]:
    """All rows of a CSV file, which may be gzipped. Rows without any value are passed over.

    `advice` says what to do where a needed column is missing.

    Raises:
        InvalidExport: it is no text, a quote is left open, or a needed column is missing.
    """
    text = _text(path)
    delimiter = _delimiter(text)
    records = _records(text, delimiter, path.name)
    heading = next(records, None)
    if heading is None:
        raise InvalidExport(f"{path.name} is empty. Its first line must name the columns.")
    columns = tuple(name.strip() for name in heading[1])
    _check_columns(path.name, columns, delimiter, needed, advice)
    return [_row(path.name, line, columns, cells) for line, cells in records]


def needed_columns(mapping: ImportMapping) -> dict[str, list[str]]:
    """The columns that the mapping speaks of, by part."""
    needed: dict[str, list[str]] = {}
    for sheet in ("people", "accounts", "products", "opportunities"):
        part = getattr(mapping, sheet)
        if part is not None:
            said = part.model_dump(exclude={"file", "custom"}, exclude_none=True)
            needed[sheet] = [*said.values(), *part.custom.values()]
    return needed


def write_rejects(path: Path, rejects: Iterable[Reject]) -> None:
    """The rejected rows as CSV: file, line, external id, fields, reason, and the row as it stood there.

    Raises:
        InvalidInput: the file cannot be written.
    """
    try:
        with path.open("w", encoding="utf-8", newline="") as out:
            writer = csv.writer(out)
            writer.writerow(("file", "line", "id", "field", "reason", "row"))
            for reject in rejects:
                row = reject.row
                told = (
                    row.file,
                    row.line,
                    reject.id,
                    " ".join(reject.fields),
                    reject.reason,
                    _as_line(row.raw),
                )
                writer.writerow(told)
    except OSError as error:
        raise InvalidInput(
            f"The rejected rows cannot be written to {path} ({error.strerror}): choose a file with --rejects."
        ) from error


def _text(path: Path) -> str:
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise InvalidExport(f"{path.name} is larger than {MAX_BYTES // 2**20} MB. Split it into several.")
        content = _unpacked(path.name, path.read_bytes())
        return content.decode(_ENCODINGS.get(content[:2], "utf-8-sig"))
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise InvalidExport(
            f"{path.name}, line {line}: this is not UTF-8 text. Save the file as UTF-8."
        ) from None
    except OSError as error:
        raise InvalidExport(f"{path} cannot be read: {error.strerror}.") from error


def _unpacked(file: str, content: bytes) -> bytes:
    """The content without its compression, if it has one.

    Raises:
        InvalidExport: the compression is broken, or there is too much inside.
    """
    if not content.startswith(_GZIP):
        return content
    try:
        with gzip.open(io.BytesIO(content)) as inside:
            unpacked = inside.read(MAX_BYTES + 1)
    except (EOFError, OSError, zlib.error) as error:
        raise InvalidExport(
            f"{file} is gzipped, and not whole: {error}. Copy it again, or unpack it."
        ) from None
    if len(unpacked) > MAX_BYTES:
        raise InvalidExport(f"{file} holds more than {MAX_BYTES // 2**20} MB. Split it into several.")
    return unpacked


def _delimiter(text: str) -> str:
    """The mark that the first line has most of, outside quotes; a comma where it has none."""
    first = text[: text.find("\n")] if "\n" in text else text
    outside = "".join(first.split('"')[::2])
    return max(DELIMITERS, key=outside.count)


def _records(text: str, delimiter: str, file: str) -> Iterator[tuple[int, list[str]]]:
    """Each record with the line where it begins."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise InvalidExport(f"{file}, line {line}: {_advice(str(error))}") from None


def _advice(error: str) -> str:
    if "unexpected end" in error or "field larger" in error:
        return 'a quote (") is opened here and never closed. Close it, or write "" where a quote is meant.'
    if "expected after" in error:
        return 'text follows a closing quote ("). Write "" where a quote is meant inside of a value.'
    return f"this is not CSV ({error})."


def _check_columns(
    file: str, columns: tuple[str, ...], delimiter: str, needed: Iterable[str], advice: str
) -> None:
    twice = sorted({name for name in columns if name and columns.count(name) > 1})
    if twice:
        raise InvalidExport(f"{file} has the column {twice[0]} twice. Rename one of them.")
    missing = [name for name in dict.fromkeys(needed) if name not in columns]
    if missing:
        told = ", ".join(name[:60] for name in columns[:30])
        raise InvalidExport(
            f"{file} has no column {', '.join(missing)}. It has: {told} (with {delimiter!r} between them). "
            f"{advice}"
        )


def _row(file: str, line: int, columns: tuple[str, ...], cells: list[str]) -> Row:
    wrong = None
    if len(cells) != len(columns):
        wrong = f"the row has {len(cells)} values, and the heading has {len(columns)} columns"
    elif any("\0" in cell for cell in cells):
        wrong = "the row holds a null character; take it out"
    return Row(file, line, dict(zip(columns, cells, strict=False)), tuple(cells), wrong)


def _as_line(cells: tuple[str, ...]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(cells)
    return out.getvalue().replace("\0", "\\0")
