"""How a process tells people something: the activity's name; its argument is `domain.notice.Message`.

The activity only writes the notices, in one statement, so that a local activity does for it.
What is to be mailed is taken from there by the postman of any worker: no process ever
waits for a mail server.
"""

from __future__ import annotations

NOTIFY = "notify"
