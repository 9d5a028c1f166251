"""The address of a mail server: `smtp://user:password@host:587?starttls=1` or `smtps://…`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self
from urllib.parse import parse_qsl, unquote, urlsplit

_PORTS = {"smtp": 25, "smtps": 465}
_SWITCH = {"1": True, "0": False}


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed over, and how.

    `tls` speaks TLS from the first byte. `starttls` changes to it: always, never,
    or (None) where the server offers it.
    """

    host: str
    port: int
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: bool = False
    starttls: bool | None = None

    @classmethod
    def parse(cls, url: str) -> Self:
        """The server that an address names. Raises `ValueError` with a sentence that says what is wrong."""
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ValueError("it must look like smtp://user:password@mail.example.com:587?starttls=1")
        if parts.path.strip("/") or parts.fragment:
            raise ValueError("a mail server has no path; write / # ? @ in a password as %2F %23 %3F %40")
        wanted = dict(parse_qsl(parts.query, keep_blank_values=True))
        switch = wanted.pop("starttls", None)
        if wanted or switch not in (None, *_SWITCH):
            raise ValueError("after the question mark it knows starttls=1 and starttls=0 only")
        tls = parts.scheme == "smtps"
        if tls and switch is not None:
            raise ValueError("smtps:// speaks TLS from the start, so that starttls makes no sense with it")
        if (parts.username is None) != (parts.password is None):
            raise ValueError("a user and a password go together: give both or neither")
        return cls(
            host=parts.hostname,
            port=parts.port or _PORTS[parts.scheme],
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            tls=tls,
            starttls=None if switch is None else _SWITCH[switch],
        )
