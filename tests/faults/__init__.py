"""Nothing lost: each part broken, at each point of a sale, while tills sell; and counted. `make faults` runs it."""
