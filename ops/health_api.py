"""`tandem health api`: whether the API beside us is ready, as container engines ask.

It is asked every few seconds, so it imports next to nothing.
"""

from __future__ import annotations

from urllib.error import URLError
from urllib.request import urlopen

from domain.errors import Unavailable
from runtime.settings import Settings, local_name

PATIENCE_SECONDS = 5.0


def check_api(settings: Settings) -> None:
    """Ask the API of this machine whether it is ready.

    Raises:
        Unavailable: it does not answer, or is not ready.
    """
    url = f"http://{local_name(settings.host)}:{settings.port}/readyz"
    try:
        with urlopen(url, timeout=PATIENCE_SECONDS):
            pass
    except (URLError, OSError) as away:
        raise Unavailable(f"The API is not ready at {url}: {getattr(away, 'reason', away)}.") from away
