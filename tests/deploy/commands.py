"""The product's command lines, as `make run` starts them, for a folder and an interpreter elsewhere."""

from collections.abc import Sequence

from scripts.processes import PYTHON, ROOT


def elsewhere(command: Sequence[str], *, python: str, root: str) -> list[str]:
    """The command of a product that is installed in `root`."""
    return [python if word == PYTHON else word.replace(str(ROOT), root) for word in command]
