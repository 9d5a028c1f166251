"""Calling programs elsewhere, signed by the rules of Standard Webhooks, and nothing inside our own network.

Whoever publishes a playbook names an address that our worker calls. Where its name leads is checked as
the connection is made (`httpx-secure`), so that neither a spelling nor a change of the name's address
gets around that; redirects are not followed, and no proxy of the environment is used.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import httpx
from httpx_secure import SSRFProtectionError, httpx_ssrf_protection
from standardwebhooks import Webhook

from runtime import instance
from runtime.errors import CannotStart
from runtime.settings import Settings

PATIENCE = 15.0
"""Seconds that a receiver has to answer, from the look-up of its name on."""
_GONE = 410
_LONGEST_WAIT = timedelta(hours=1)


class NotDelivered(Exception):
    """A receiver was not told. `final`: trying again would not help. `again_in`: when it asks to be tried."""

    def __init__(self, words: str, *, final: bool = False, again_in: timedelta | None = None) -> None:
        super().__init__(words)
        self.words = words
        self.final = final
        self.again_in = again_in


class Webhooks:
    """Calls receivers with the secret of this installation."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def call(self, url: str, message_id: str, body: str) -> None:
        """Tell a receiver, once. Any answer of 2xx within the time counts; what it says is not read.

        Raises:
            NotDelivered: no secret can be kept, nobody may be called there, or it was not taken.
        """
        now = datetime.now(UTC)
        headers = {
            "content-type": "application/json",
            "user-agent": "Tandem",
            "webhook-id": message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._signer().sign(message_id, now, body),
        }
        try:
            async with (
                asyncio.timeout(PATIENCE),
                self._client() as client,
                client.stream("POST", url, content=body.encode(), headers=headers) as response,
            ):
                _taken(response)
        except SSRFProtectionError as error:
            words = "it leads to an address inside a network, where nobody is called"
            raise NotDelivered(words, final=True) from error
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise NotDelivered("this is no address that can be called", final=True) from error
        except (httpx.TimeoutException, TimeoutError) as error:
            raise NotDelivered("it did not answer in time") from error
        except httpx.HTTPError as error:
            raise NotDelivered("it could not be reached") from error

    def _client(self) -> httpx.AsyncClient:
        client = httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=PATIENCE)
        return client if self._settings.webhook_allow_private else httpx_ssrf_protection(client)

    def _signer(self) -> Webhook:
        try:
            return Webhook(instance.webhook_secret(self._settings))
        except CannotStart as error:
            raise NotDelivered(str(error)) from error


def _taken(response: httpx.Response) -> None:
    """Raises: NotDelivered, unless the receiver took it."""
    if response.is_success:
        return
    told = f"it answered {response.status_code}"
    if response.is_redirect:
        raise NotDelivered(f"{told}; redirects are not followed, give the address that it leads to")
    raise NotDelivered(told, final=response.status_code == _GONE, again_in=_asked_for(response))


def _asked_for(response: httpx.Response) -> timedelta | None:
    """How long the receiver asks to be left alone (`Retry-After`, in seconds); at most an hour."""
    wanted = response.headers.get("retry-after", "")
    seconds = int(wanted[:9]) if wanted.isascii() and wanted.isdigit() else None
    return None if seconds is None else min(timedelta(seconds=seconds), _LONGEST_WAIT)
