"""Signed links: what a mail carries so that its reader need not sign in.

A token names a row of ours and says when it was signed; who does not know the key
can make none. What it allows, for whom and until when is in the row.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from itsdangerous import BadData, URLSafeTimedSerializer

from domain.notice import NoticeKind
from runtime import instance
from runtime.settings import Settings

_DECISION = "tandem.decision-link"
_UNSUBSCRIBE = "tandem.unsubscribe-link"
_LONGEST_TOKEN = 200
_LONGEST_LIST = 1000


@dataclass(frozen=True, slots=True)
class Unsubscribing:
    """What a link allows that ends mails: no mail of these kinds to this person any more."""

    user_id: UUID
    kinds: tuple[NoticeKind, ...]


class Links:
    """Makes and reads the tokens of links in mails, and the addresses that carry them."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._made: dict[str, URLSafeTimedSerializer] = {}

    def _serializer(self, purpose: str) -> URLSafeTimedSerializer:
        """Made when first needed: a process that mails nothing needs no key. A token serves one purpose."""
        if purpose not in self._made:
            self._made[purpose] = URLSafeTimedSerializer(
                instance.secret_key(self._settings),
                salt=purpose,
                signer_kwargs={"digest_method": hashlib.sha256},
            )
        return self._made[purpose]

    def token(self, link_id: UUID) -> str:
        """The token of a link. Raises `CannotStart` where no key can be kept."""
        return self._signed(_DECISION, str(link_id))

    def _signed(self, purpose: str, said: Any) -> str:
        signed = self._serializer(purpose).dumps(said)
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
            named, signed_at = self._serializer(_DECISION).loads(token, return_timestamp=True)
            return UUID(str(named)), signed_at.astimezone(UTC)
        except (BadData, ValueError):
            return None

    def unsubscribe(self, user_id: UUID, kinds: Iterable[NoticeKind]) -> str:
        """Where mails of these kinds are ended. It leads there for ever: mails are kept for years.

        Raises `CannotStart` where no key can be kept.
        """
        said = [user_id.hex, *sorted({kind.value for kind in kinds})]
        return f"{self._settings.url}/unsubscribe/{self._signed(_UNSUBSCRIBE, said)}"

    def read_unsubscribe(self, token: str) -> Unsubscribing | None:
        """What a token allows; None for one that we did not make. A kind that is no more is left out."""
        if len(token) > _LONGEST_LIST:
            return None
        try:
            user_id, *kinds = self._serializer(_UNSUBSCRIBE).loads(token)
            known = tuple(kind for kind in NoticeKind if kind.value in kinds)
            return Unsubscribing(UUID(hex=user_id), known)
        except (BadData, ValueError, TypeError):
            return None
