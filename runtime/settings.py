"""The settings of every process: environment variables `TANDEM_*`, or lines in `.env`."""

from __future__ import annotations

import base64
import binascii
from email.utils import parseaddr
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from runtime.errors import CannotStart
from runtime.mail_server import MailServer

Port = Annotated[int, Field(ge=1, le=65535)]


class Settings(BaseSettings):
    """What can be set, with what holds when it is not."""

    model_config = SettingsConfigDict(
        env_prefix="TANDEM_", env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    home: Path = Field(default=Path(".tandem"), description="Where `tandem up` keeps its state.")
    host: str = Field(default="127.0.0.1", description="The address the web listens on.")
    port: Port = Field(default=8000, description="The port the web listens on.")
    public_url: str | None = Field(
        default=None, description="Where people reach the web, when that is not http://HOST:PORT."
    )
    trusted_proxies: str = Field(
        default="127.0.0.1", description="Proxies whose X-Forwarded-* headers are believed, with commas."
    )

    database_url: str | None = Field(
        default=None, description="postgresql://… of a server; unset, `tandem up` starts one of its own."
    )

    temporal_address: str | None = Field(
        default=None, description="host:port of a server; unset, `tandem up` starts one of its own."
    )
    temporal_namespace: str = Field(default="default", description="The namespace of our workflows.")
    temporal_api_key: SecretStr | None = Field(default=None, description="An API key of Temporal Cloud.")
    temporal_tls: bool = Field(default=False, description="Speak TLS; implied by a key or a certificate.")
    temporal_tls_ca: Path | None = Field(
        default=None, description="The server's certificate authority (PEM)."
    )
    temporal_tls_cert: Path | None = Field(default=None, description="Our client certificate (PEM).")
    temporal_tls_key: Path | None = Field(default=None, description="The key of our certificate (PEM).")
    temporal_port: Port | None = Field(
        default=None, description="The port of our own server; unset, 7233 or any that is free."
    )
    temporal_ui_port: Port | None = Field(
        default=None, description="The port of its pages; unset, 8233 or any that is free."
    )
    temporal_ui: bool = Field(default=True, description="Serve the pages of our own Temporal server.")
    task_queue: str = Field(default="tandem", description="The task queue that workers listen on.")

    smtp_url: str | None = Field(
        default=None,
        description="smtp://user:password@host:587?starttls=1, or smtps://…; unset, nothing is mailed.",
    )
    mail_from: str | None = Field(
        default=None, description="Who mails come from, such as Tandem <tandem@example.com>."
    )
    secret_key: SecretStr | None = Field(
        default=None,
        min_length=32,
        description="Signs links in mails; at least 32 characters; unset, one is made and kept in the home.",
    )

    webhook_secret: SecretStr | None = Field(
        default=None,
        description="Signs what triggers call: whsec_ and base64; unset, one is made and kept in the home.",
    )
    webhook_allow_private: bool = Field(
        default=False, description="Let triggers call http and addresses inside a network: for development."
    )

    chat_schemes: str = Field(
        default="slack,workflows,discord,gchat,wxteams",
        pattern=r"^([a-z0-9]+(, ?[a-z0-9]+)*)?$",
        description="Chats that people may be told in, as apprise calls them, with commas.",
    )

    demo_password: SecretStr | None = Field(
        default=None, description="The password of the demo people; unset, one is made and kept in the home."
    )
    rate_limit: str = Field(
        default="6000/minute",
        pattern=r"^[1-9][0-9]*/([1-9][0-9]*)?(second|minute|hour|day)s?$",
        description="Requests that one caller may make.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="What is worth a line in the log."
    )
    log_format: Literal["auto", "console", "json"] = Field(
        default="auto", description="auto: for people on a terminal, JSON otherwise."
    )

    @model_validator(mode="after")
    def _certificate_with_key(self) -> Settings:
        if (self.temporal_tls_cert is None) != (self.temporal_tls_key is None):
            raise ValueError("a certificate and its key go together: set both or neither")
        return self

    @model_validator(mode="after")
    def _mail_with_sender(self) -> Settings:
        if (self.smtp_url is None) != (self.mail_from is None):
            raise ValueError("TANDEM_SMTP_URL and TANDEM_MAIL_FROM go together: set both or neither")
        return self

    @field_validator("smtp_url")
    @classmethod
    def _is_mail_server(cls, value: str | None) -> str | None:
        if value is not None:
            MailServer.parse(value)
        return value

    @field_validator("webhook_secret")
    @classmethod
    def _is_webhook_secret(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not _is_secret(value.get_secret_value()):
            raise ValueError("it must be whsec_ and the base64 of 24 to 64 bytes")
        return value

    @field_validator("mail_from")
    @classmethod
    def _is_mail_address(cls, value: str | None) -> str | None:
        if value is not None and ("@" not in parseaddr(value)[1] or not value.isprintable()):
            raise ValueError("it must look like Tandem <tandem@example.com>")
        return value

    @property
    def url(self) -> str:
        """Where people reach the web, without a slash at the end."""
        if self.public_url:
            return self.public_url.rstrip("/")
        return f"http://{local_name(self.host)}:{self.port}"

    def public(self) -> dict[str, str]:
        """All settings in effect, by variable name; secrets and passwords in addresses are hidden."""
        return {f"TANDEM_{name.upper()}": _shown(name, value) for name, value in self}


def _is_secret(text: str) -> bool:
    try:
        key = base64.b64decode(text.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        return False
    return text.startswith("whsec_") and 24 <= len(key) <= 64  # noqa: PLR2004 - Standard Webhooks


def local_name(host: str) -> str:
    """The name by which this machine reaches what listens on `host`: a wildcard is no address to go to."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if address.is_unspecified:
        return "127.0.0.1"
    return f"[{host}]" if address.version == 6 else host  # noqa: PLR2004 - IPv6


def load(**values: Any) -> Settings:
    """The settings of the environment, with `values` above them.

    Raises:
        CannotStart: a value makes no sense; the sentence names the variable.
    """
    try:
        return Settings(**values)
    except ValidationError as error:
        first = error.errors()[0]
        variable = "TANDEM_" + "_".join(map(str, first["loc"])).upper() if first["loc"] else "The settings"
        raise CannotStart(f"{variable} cannot be used: {first['msg']}.") from error


def _shown(name: str, value: Any) -> str:
    if value is None:
        return ""
    if name in ("database_url", "smtp_url"):
        scheme, _, rest = str(value).rpartition("://")
        _, at, place = rest.rpartition("@")
        return f"{scheme}://***{at}{place}" if at else str(value)
    return str(value)  # a SecretStr shows itself as stars
