"""Writing to a person's chat (Slack, Teams, Discord …) by an address that is a secret, through apprise.

Apprise knows far more than chats: it runs programs, reads files and calls any host. So only
the services that an administrator allows are taken, at their own hosts, and nothing that an
address says besides where the chat is.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from functools import lru_cache
from typing import Any, Self

_LONGEST_ADDRESS = 1000
_OF_A_WEBHOOK = {
    "workflow": {"api-version", "sp", "sv", "sig"},
    "gchat": {"key", "token"},
}
"""What webhooks of the services have after the question mark; all else would be settings of apprise."""
_HOSTS = {"workflow": (".logic.azure.com", ".powerplatform.com")}
"""Where a service is that is named by its host: a name of it alone would let anybody call anything."""
_REFUSED = range(400, 500)
_TOO_MANY = 429


class ChatNotTaken(Exception):
    """The chat did not take a message; where `temporary`, it may take it later."""

    def __init__(self, words: str, *, temporary: bool) -> None:
        super().__init__(words)
        self.words = words
        self.temporary = temporary


class Chats:
    """The chats of the services whose schemes are allowed, such as slack and discord."""

    def __init__(self, schemes: str) -> None:
        self._allowed = frozenset(each.strip() for each in schemes.split(",") if each.strip())

    def check(self, address: str) -> str:
        """The name of the service that an address leads to. It loads apprise: call it in a thread.

        Raises:
            ValueError: a sentence that says why it is not taken; never with the address in it.
        """
        return str(self._service(address).service_name)

    async def say(self, address: str, title: str, text: str) -> None:
        """Write to a chat.

        Raises:
            ChatNotTaken: the address is not allowed any more, or the service refuses or does not answer.
        """
        await asyncio.to_thread(self._say, address, title, text)

    def _say(self, address: str, title: str, text: str) -> None:
        try:
            service = self._service(address)
        except ValueError as error:
            raise ChatNotTaken(f"The chat's address is not taken: {error}", temporary=False) from error
        with _Heard() as heard:
            taken = service.notify(title=title, body=text, body_format="text")
        if not taken:
            raise _not_taken(str(service.service_name), heard.code)

    def _service(self, address: str) -> Any:
        """The service with its address. Raises `ValueError`."""
        found = _parsed(address)
        service = _plugin(found["schema"]) if found else None
        if found is None or service is None or self._allowed.isdisjoint(_schemes(service)):
            raise ValueError(self._what_is_taken())
        scheme = next(name for name in (*_OF_A_WEBHOOK, found["schema"]) if name in _schemes(service))
        if not set(found["qsd"]) <= _OF_A_WEBHOOK.get(scheme, set()):
            raise ValueError("Leave out what comes after the question mark.")
        if scheme in _HOSTS and not str(found["host"]).lower().endswith(_HOSTS[scheme]):
            raise ValueError("That is not where this service is; copy the address from its own page.")
        # Given beside the rest: among it, the asset would give way to apprise's own.
        made = _library().Apprise.instantiate(found, asset=_asset(), suppress_exceptions=True)
        if not made:
            raise ValueError(self._what_is_taken())
        return made

    def _what_is_taken(self) -> str:
        names = ", ".join(sorted(self._allowed)) or "none"
        return f"This is no webhook of a chat that is allowed here. Allowed are: {names}."


_SHOWN = {
    "slack": "Slack",
    "workflows": "Microsoft Teams",
    "discord": "Discord",
    "gchat": "Google Chat",
    "wxteams": "Webex",
    "mmost": "Mattermost",
    "rocket": "Rocket.Chat",
}


def names(schemes: str) -> list[str]:
    """The services that are allowed, as people call them; of others the name that apprise has for them."""
    parts = (part.strip() for part in schemes.split(","))
    return [_SHOWN.get(each, each) for each in parts if each not in {"", "none"}]


def hint(address: str) -> str:
    """As much of an address as may be shown: what kind it is, and its last letters."""
    scheme, _, rest = address.partition("://")
    return f"{scheme}://…{rest.rstrip('/')[-4:]}"


def _not_taken(service: str, code: int | None) -> ChatNotTaken:
    if code is None:
        return ChatNotTaken(f"{service} cannot be reached.", temporary=True)
    refused = code in _REFUSED and code != _TOO_MANY
    why = "; the address may be a wrong one" if refused else ""
    return ChatNotTaken(f"{service} answered {code}{why}.", temporary=not refused)


class _Heard(logging.Handler):
    """Listens to what apprise says in this thread: its answer is only that something did not work.

    What it logs may hold addresses, so that nothing of it goes anywhere else.
    """

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.code: int | None = None
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the HTTP status in `…, error=404.`."""
        if record.thread == self._thread:
            said = record.getMessage().rpartition("error=")[2].strip(" .")
            self.code = int(said) if said.isdecimal() else self.code

    def __enter__(self) -> Self:
        _logger().addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        _logger().removeHandler(self)


@lru_cache(maxsize=1)
def _logger() -> logging.Logger:
    """What apprise says goes to who listens; what urllib3 below it says, with whole addresses, to nobody."""
    logging.getLogger("urllib3").setLevel(logging.CRITICAL)
    quiet = logging.getLogger("apprise")
    quiet.propagate = False
    quiet.setLevel(logging.WARNING)
    return quiet


def _library() -> Any:
    """Apprise, loaded when first needed: most processes write to no chat."""
    import apprise  # noqa: PLC0415 - it loads a hundred services

    return apprise


@lru_cache(maxsize=1)
def _asset() -> Any:
    """What all messages share. Nothing is kept in files, and nobody is sent elsewhere."""
    return _library().AppriseAsset(
        app_id="Tandem",
        app_desc="Tandem",
        image_url_mask="",
        image_url_logo="",
        async_mode=False,
        secure_logging=True,
        http_redirects=False,
        storage_mode="memory",
    )


def _parsed(address: str) -> dict[str, Any] | None:
    """What an address says, where it is one of a service at all."""
    if len(address) > _LONGEST_ADDRESS or not address.isascii() or not address.isprintable():
        return None
    with _Heard():
        found: dict[str, Any] | None = _library().plugins.url_to_dict(address, secure_logging=True)
    return found


def _plugin(scheme: str) -> Any:
    plugins = _library().manager_plugins.NotificationManager()
    return plugins[scheme] if scheme in plugins else None  # noqa: SIM401 - it has no get


def _schemes(service: Any) -> set[str]:
    """The schemes by which a service is addressed; apprise has one of them, or several, or none."""
    found: set[str] = set()
    for each in (service.protocol, service.secure_protocol):
        found.update((each,) if isinstance(each, str) else each or ())
    return found
