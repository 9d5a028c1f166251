"""How refusals and tasks name several things, what belongs to whom, and what is long."""

from __future__ import annotations

from collections.abc import Iterable


def listed(items: Iterable[str], word: str = "or") -> str:
    """`a`, `a or b`, `a, b or c`; nothing for nothing."""
    *first, last = [*items] or [""]
    return f"{', '.join(first)} {word} {last}" if first else last


def possessive(name: str) -> str:
    """`Aster Integrators'`, `the vendor's`."""
    return f"{name}'" if name.endswith(("s", "S")) else f"{name}'s"


def shortened(text: str, length: int) -> str:
    """The text on one line, of at most so many characters."""
    line = " ".join(text.split())
    return line if len(line) <= length else f"{line[: length - 1].rstrip()}…"
