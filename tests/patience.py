"""How long a test waits for something that is sure to come, before it says that it did not."""

from __future__ import annotations

PATIENCE = 60.0
"""Seconds: far more than is needed, since the machine may be busy with other tests."""
