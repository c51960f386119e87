"""Numbers as Mexico writes them, and as the till and the receipt do: a decimal point. Dates are Django's."""

DECIMAL_SEPARATOR = "."
THOUSAND_SEPARATOR = ","
NUMBER_GROUPING = 3
