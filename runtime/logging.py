"""Structured logs: for people on a terminal, as JSON lines for machines."""

from __future__ import annotations

import logging
import re
import sys
from typing import Any

import structlog

from runtime.settings import Settings

_LONG = re.compile(r"[^/?&=]{41,}")
"""A part of an address that is longer than any id: decision links and calendar feeds end in secrets."""


def without_secrets(address: str) -> str:
    """A path, with or without its query, as logs may keep it: who reads a log must not be able to use it."""
    return _LONG.sub("…", address)


class _WithoutSecrets(logging.Filter):
    """Takes secrets out of the lines that uvicorn writes for each request."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                without_secrets(each) if isinstance(each, str) else each for each in record.args
            )
        return True


def configure(settings: Settings, role: str) -> None:
    """Send all logs of this process, also those of libraries, to standard error in one shape."""
    console = settings.log_format == "console" or (settings.log_format == "auto" and sys.stderr.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if console else "iso", utc=not console),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(processors=_last(console), foreign_pre_chain=shared)
    )
    logging.basicConfig(handlers=[handler], level=settings.log_level.upper(), force=True)
    structlog.contextvars.bind_contextvars(role=role)
    logging.getLogger("uvicorn.access").addFilter(_WithoutSecrets())
    for chatty in ("httpx", "httpcore", "asyncio", "alembic", "uvicorn.error"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, logging.root.level))


def _last(console: bool) -> list[Any]:
    clean = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    if console:
        # The colourful tracebacks print every local variable: that takes minutes, and some are secret.
        plain = structlog.dev.plain_traceback
        return [
            clean,
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain),
        ]
    return [clean, structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
