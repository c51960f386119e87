"""Python's search for garbage in cycles, for processes that load much once and leave little."""

import gc

AFTER = (20_000, 50, 100)  # Python's own: 700, 10, 10


def search_less() -> None:
    """What is loaded by now stays, and is not searched again; what comes later is searched less often. Call it once,
    before processes or threads are made (docs/adr/0034)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*AFTER)
