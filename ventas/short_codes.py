"""The code that a receipt prints: a sale's last 40 bits as eight Crockford letters, "K7Q2-M9TD".

till/src/ids.ts writes the same.
"""

import re
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
SHORT_CODE = re.compile(rf"([{CROCKFORD}]{{4}})-?([{CROCKFORD}]{{4}})")
LETTERS = 8
BITS_A_LETTER = 5
MOST_SEARCHED = 10_000


def readable_code(*, venta_id: UUID | None) -> str:
    """As people read it; a dash of what has no id."""
    if venta_id is None:
        return "—"
    places = range((LETTERS - 1) * BITS_A_LETTER, -1, -BITS_A_LETTER)
    code = "".join(CROCKFORD[venta_id.int >> place & len(CROCKFORD) - 1] for place in places)
    return f"{code[:4]}-{code[4:]}"


def read_code(*, text: str) -> str | None:
    """The end of an id, ten hexadecimal digits, from a code as it is typed; None where it is no code."""
    found = SHORT_CODE.fullmatch(text.strip().upper())
    if found is None:
        return None
    number = 0
    for letter in found.group(1) + found.group(2):
        number = number << BITS_A_LETTER | CROCKFORD.index(letter)
    return f"{number:010x}"


def with_ending(*, rows: QuerySet[Any], tiendas: Iterable[UUID], ending: str) -> Q:
    """Those whose venta_id ends so, among each tienda's first MOST_SEARCHED: `rows` come newest first."""
    found: list[int] = []
    for tienda in tiendas:
        newest = rows.filter(tienda=tienda).values("pk")[:MOST_SEARCHED]
        found.extend(rows.model.objects.filter(pk__in=newest, venta_id__endswith=ending).values_list("pk", flat=True))
    return Q(pk__in=found)
