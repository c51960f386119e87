"""Whatever reads what others wrote is given anything. `make fuzz` gives it much more."""
