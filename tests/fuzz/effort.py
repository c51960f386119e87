"""How hard the fuzz tests try: a little, the same each time, in `make test`; CASES times as much, at random, by
`make fuzz`."""

import os

from hypothesis import HealthCheck, Phase, settings

FACTOR = int(os.environ.get("CASES", "1"))


def cases(examples: int) -> settings:
    """So many examples of a test; what fails in the long run is printed so that it can be run again."""
    return settings(
        max_examples=examples * FACTOR,
        deadline=None,
        database=None,
        derandomize=FACTOR == 1,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )


def as_they_come(examples: int) -> settings:
    """The same where an example costs a request: the first that fails is told, and not made smaller."""
    return settings(cases(examples), phases=[Phase.generate])
