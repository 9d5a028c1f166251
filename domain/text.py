"""What a line of text must not hold, because it would change what stands beside it."""

from __future__ import annotations

TURNS_DIRECTION = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""The embeddings, overrides and isolates of Unicode's bidirectional algorithm (UAX 9), and their ends.

One that is left open turns round the rest of the sentence in which the text is told, and an override
shows letters in another order than they are in. Scripts that are read from right to left need none of them.
"""


def turning(text: str) -> str | None:
    """The first character that turns the direction of reading, as `U+202E`; `None` where there is none."""
    return next((f"U+{ord(each):04X}" for each in text if each in TURNS_DIRECTION), None)
