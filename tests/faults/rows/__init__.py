"""The faults, a function each: break at a point, and mend. The table of all of them is in table.py."""
