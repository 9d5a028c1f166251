"""Signed links: what a mail carries so that its reader need not sign in.

A token names a row of ours and says when it was signed; who does not know the key
can make none. What it allows, for whom and until when is in the row.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from uuid import UUID

from itsdangerous import BadData, URLSafeTimedSerializer

from runtime import instance
from runtime.settings import Settings

_PURPOSE = "tandem.decision-link"
_LONGEST_TOKEN = 200


class Links:
    """Makes and reads the tokens of decision links, and the addresses that carry them."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._made: URLSafeTimedSerializer | None = None

    def _serializer(self) -> URLSafeTimedSerializer:
        """Made when first needed: a process that mails nothing needs no key."""
        if self._made is None:
            self._made = URLSafeTimedSerializer(
                instance.secret_key(self._settings),
                salt=_PURPOSE,
                signer_kwargs={"digest_method": hashlib.sha256},
            )
        return self._made

    def token(self, link_id: UUID) -> str:
        """The token of a link. Raises `CannotStart` where no key can be kept."""
        signed = self._serializer().dumps(str(link_id))
        return signed.decode() if isinstance(signed, bytes) else signed

    def address(self, link_id: UUID) -> str:
        """Where the link leads. Raises `CannotStart` where no key can be kept."""
        return f"{self._settings.url}/decide/{self.token(link_id)}"

    def page(self, path: str) -> str:
        """The full address of a page of ours."""
        return f"{self._settings.url}{path}"

    def read(self, token: str) -> tuple[UUID, datetime] | None:
        """Which link a token is and when it was signed; None for one that we did not make."""
        if len(token) > _LONGEST_TOKEN:
            return None
        try:
            named, signed_at = self._serializer().loads(token, return_timestamp=True)
            return UUID(str(named)), signed_at.astimezone(UTC)
        except (BadData, ValueError):
            return None
