"""Sales that do something to whoever writes them, known by their total: what a test sells at 10.50 apiece."""

from decimal import Decimal

PRECIO = Decimal("10.50")
POISON_CANTIDAD = 66.66  # kills the process
BROKEN_CANTIDAD = 88.88  # fails each time; both cost whole cents


def centavos(cantidad: float) -> int:
    """What so many cost."""
    return int((Decimal(str(cantidad)) * PRECIO * 100).to_integral_value())
