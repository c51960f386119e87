"""A file of baskets, one a line, product names parted by commas; and the catalogue that follows from it."""

import uuid
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

AMPLE = 2
UNIT_MILLI = 1000
LONGEST_NAME = 200
BARCODE_PREFIX = "20"  # numbers that a shop gives by itself


class UnusableFile(Exception):
    """The file holds no basket, or a name that no product can have."""


@dataclass(frozen=True, slots=True)
class Basket:
    """Distinct product names, in the order of the file, each with its units."""

    lines: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class BasketFile:
    """What a file holds. A line without any name is no basket."""

    baskets: tuple[Basket, ...]
    blank_names: int
    blank_lines: int

    def demand(self) -> Counter[str]:
        """Units of each product in all baskets together."""
        units: Counter[str] = Counter()
        for basket in self.baskets:
            for name, count in basket.lines:
                units[name] += count
        return units


@dataclass(frozen=True, slots=True)
class Product:
    """One product of the replay's own tienda; money in cents, tax in hundredths of a percent, stock in thousandths."""

    id: uuid.UUID
    sku: str
    codigo_barras: str
    nombre: str
    precio_centavos: int
    impuesto: int
    stock_milli: int


def read_file(path: Path) -> BasketFile:
    """The baskets of a file, in UTF-8. Raises UnusableFile."""
    try:
        with path.open(encoding="utf-8-sig") as lines:
            return read_baskets(lines)
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableFile(f"{path} cannot be read: {error}") from error
    except UnusableFile as error:
        raise UnusableFile(f"{path}: {error}") from error


def read_baskets(lines: Iterable[str]) -> BasketFile:
    """Take the file as it is: names stripped, blank ones counted and left out; a name that comes twice is two units."""
    baskets, blank_names, blank_lines = [], 0, 0
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            blank_lines += 1
            continue
        names = [name.strip() for name in line.split(",")]
        units = Counter(name for name in names if name)
        blank_names += names.count("")
        too_long = [name for name in units if len(name) > LONGEST_NAME]
        if too_long:
            raise UnusableFile(f"line {number}: a product's name has at most {LONGEST_NAME} characters: {too_long[0]}")
        if units:
            baskets.append(Basket(tuple(units.items())))
        else:
            blank_lines += 1
    if not baskets:
        raise UnusableFile("no line names a product")
    return BasketFile(tuple(baskets), blank_names, blank_lines)


def make_catalogue(*, demand: Mapping[str, int], stock_units: int | None = None) -> list[Product]:
    """A product for each name, by name. A price follows from the name: the same in each run.

    `stock_units` of each, or ample: twice what the file asks for. For a moment a sale may count twice, once as
    committed and once as held, and even then nothing is short.
    """
    return [
        Product(
            id=uuid.uuid4(),
            sku=f"R-{number:05d}",
            codigo_barras=_barcode(number),
            nombre=name,
            precio_centavos=500 + zlib.crc32(name.encode()) % 19_500,
            impuesto=1600 if zlib.crc32(name.encode()) % 3 == 0 else 0,
            stock_milli=UNIT_MILLI * (AMPLE * demand[name] if stock_units is None else stock_units),
        )
        for number, name in enumerate(sorted(demand), start=1)
    ]


def total_centavos(*, basket: Basket, prices: Mapping[str, int]) -> int:
    """What a basket costs; whole units, so nothing is rounded."""
    return sum(prices[name] * units for name, units in basket.lines)


def _barcode(number: int) -> str:
    """An EAN-13: prefix, number, check digit."""
    digits = f"{BARCODE_PREFIX}{number:010d}"
    weighted = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits))
    return f"{digits}{-weighted % 10}"
