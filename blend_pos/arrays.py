"""PostgreSQL's arrays, written as text. psycopg asks of each element of a list how it is to be quoted: for a batch of
sales that costs a worker as much as all else that it computes."""

import re
from collections.abc import Iterable

PLAIN = re.compile(r"[0-9A-Za-z_.:+,-]*", re.ASCII)


class NotPlain(ValueError):
    """An element whose text would have to be quoted; it goes in a list instead."""


def array(values: Iterable[object]) -> str:
    """The literal of an array of ids, numbers, moments or names of ours; None is NULL. Raises NotPlain."""
    texts = ["NULL" if value is None else str(value) for value in values]
    joined = ",".join(texts)
    if not PLAIN.fullmatch(joined) or joined.count(",") != max(len(texts) - 1, 0) or "" in texts:
        raise NotPlain("an element of the array has to be quoted")
    return f"{{{joined}}}"
