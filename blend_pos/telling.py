"""What an error says, for a log or a row that people read: without the values that it was about, and in one line."""

from collections.abc import Iterator

DEEPEST = 20  # of a chain of errors


def in_one_line(text: str) -> str:
    """The text with each sign that is not to be printed written out: a newline as \\n, an escape as \\x1b."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def without_values(text: str, error: BaseException | None) -> str:
    """The text, which repeats this error's, without the rows that PostgreSQL quotes: they hold what customers pay
    with."""
    for quoted in _quoted(error):
        text = text.replace(quoted, "…")
    return text


def describe(error: BaseException) -> str:
    """Its kind and its text, in one line, without values."""
    return in_one_line(f"{type(error).__name__}: {without_values(str(error), error)}")


def _quoted(error: BaseException | None) -> Iterator[str]:
    """What PostgreSQL said in detail, of each error that led to this one; the longest first."""
    found = set()
    for _ in range(DEEPEST):
        if error is None:
            break
        diagnosis = getattr(error, "diag", None)
        found |= {getattr(diagnosis, name, None) for name in ("message_detail", "context")}
        error = error.__cause__ or error.__context__
    yield from sorted(filter(None, found), key=len, reverse=True)
