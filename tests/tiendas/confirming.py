"""Answering what an admin's form asks before it does something."""

import re
from typing import Any

from django.test import Client

MARK = re.compile(r'name="confirmado" value="([0-9a-f]{40})"')


def mark_of(answer: Any) -> str | None:
    """What the page wants back, where it asks."""
    found = MARK.search(answer.content.decode()) if answer.status_code == 200 else None
    return found.group(1) if found else None


def post_confirmed(client: Client, address: str, data: dict[str, Any], **how: Any) -> Any:
    """Send a form; where the page asks, confirm that very thing."""
    answer = client.post(address, data, **how)
    mark = mark_of(answer)
    return answer if mark is None else client.post(address, {**data, "confirmado": mark}, **how)
