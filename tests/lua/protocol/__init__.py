"""The reservation protocol as a machine: the real Lua on a real Redis, the product's own decisions, and around them a
PostgreSQL, a queue and processes that die, in Python, so that every step is one act and their order is anybody's."""
