"""Bodies that no till sends."""

import gzip
from uuid import uuid4

NUMBERS = ["NaN", "Infinity", "-1", "0", "1e999", "-1e999", "1e-400", "0.0001", "1" * 400, "1" * 5_000, "1e400000000"]
WORDS = ["null", "true", '"1"', '""', "[]", "{}", '"\\ud800"', '"\\u0000"', '"' + "x" * 100_000 + '"']
DEEP = 100_000


def cart(cantidad: str = "1", *, producto: str | None = None, more: str = "") -> bytes:
    """A checkout's body by hand; `producto` is a JSON value."""
    return b'{"items":[{"producto_id":%s,"cantidad":%s}],"metodo_pago":"EFECTIVO"%s}' % (
        (producto or f'"{uuid4()}"').encode(),
        cantidad.encode(),
        more.encode(),
    )


def many(producto: str, lines: int) -> bytes:
    """A cart of so many lines."""
    line = f'{{"producto_id":"{producto}","cantidad":1}}'
    return f'{{"items":[{",".join([line] * lines)}],"metodo_pago":"EFECTIVO"}}'.encode()


def broken(producto: str) -> dict[str, bytes]:
    """Bodies that are no JSON, or no JSON of ours, by what is wrong with them; `producto` is one that sells."""
    sound = cart(producto=f'"{producto}"')
    text = sound.decode()
    return {
        "empty": b"",
        "not closed": sound[:-1],
        "two values": sound + sound,
        "a comment": sound + b"/* */",
        "single quotes": text.replace('"', "'").encode(),
        "a list": b"[" + sound + b"]",
        "a number": b"5",
        "a string": b'"x"',
        "null": b"null",
        "deep lists": b"[" * DEEP + b"]" * DEEP,
        "deep lists, not closed": b"[" * DEEP,
        "deep objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
        "deep inside": cart(producto="[" * 60 + "]" * 60),
        "utf-16": text.encode("utf-16"),
        "utf-16 without a mark": text.encode("utf-16-le"),
        "utf-32": text.encode("utf-32"),
        "latin-1": '{"metodo_pago":"ñ"}'.encode("latin-1"),
        "broken utf-8": b'{"metodo_pago":"\xff\xfe\xc0\x80"}',
        "a surrogate in utf-8": b'{"metodo_pago":"\xed\xa0\x80"}',
        "a byte order mark": b"\xef\xbb\xbf" + sound,
        "a null byte": sound + b"\x00",
        "null bytes": b"\x00" * 1_000,
        "gzip": gzip.compress(sound),
        "a gzip bomb": gzip.compress(b"0" * 50_000_000, 1)[:200_000],
        "a name twice": text.replace('"metodo_pago"', '"metodo_pago":"TARJETA","metodo_pago"').encode(),
        "a name twice within": cart(producto=f'"{producto}","cantidad":5').replace(b'"cantidad":1', b'"cantidad" : 1'),
        "a name twice, written otherwise": text.replace('"metodo', '"m\\u0065todo_pago":"OTRO","metodo').encode(),
        "too large": sound + b" " * 300_000,
        "10,000 lines": many(producto, 10_000),
        "5,000 lines": many(producto, 5_000)[:250_000],
        "201 lines": many(producto, 201),
        "no line": b'{"items":[],"metodo_pago":"EFECTIVO"}',
        "a name of ours in other letters": text.replace("items", "ｉtems").encode(),
        "a prototype": b'{"__proto__":{"items":[]},"constructor":1}',
    }


def strange_ids(producto: str) -> list[str]:
    """JSON values that are nearly the product's id."""
    wide = "".join(chr(ord(digit) + 0xFEE0) if digit.isdecimal() else digit for digit in producto)
    return [
        *WORDS,
        "1",
        f'"{wide}"',  # digits of full width, which Python's UUID takes
        f'"{{{producto}}}"',
        f'"urn:uuid:{producto}"',
        f'"{producto.replace("-", "")}"',
        f'"{producto[:8]}_{producto[9:]}"',
        f'"{producto[:-2]}_{producto[-1]}"',
        f'" {producto}"',
        f'"{producto}\\n"',
        f'"{producto}\u202e"',
        '"\' OR 1=1 --"',
        '"{tienda}:stock"',
    ]
