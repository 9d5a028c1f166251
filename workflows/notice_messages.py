"""How a process tells people something: the activity's name; its argument is `domain.notice.Message`.

The activity writes the notices, and wakes the couriers of those who are to hear of them by
mail or chat (`workflows.courier`): no process ever waits for a mail server.
"""

from __future__ import annotations

NOTIFY = "notify"
