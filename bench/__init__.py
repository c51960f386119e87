"""How much faster than what a shop would otherwise run, and how far from what the machine can do: `make bench`."""
