"""Numbers as Mexico writes them, and as the till and the receipt do: a decimal point. A moment is short, so that a list
in the admin has room for what happened then; days are Django's.
"""

DATETIME_FORMAT = "d/m/Y H:i"
DECIMAL_SEPARATOR = "."
THOUSAND_SEPARATOR = ","
NUMBER_GROUPING = 3
