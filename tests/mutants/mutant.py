"""What a mutant is."""

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Mutant:
    """One rule, and the text of one file that holds it; without it one of these tests fails."""

    rule: str
    file: str
    text: str
    instead: str
    tests: tuple[str, ...]

    @property
    def summary(self) -> str:
        """The change in one line."""
        before, after = (" ⏎ ".join(line.strip() for line in text.splitlines()) for text in (self.text, self.instead))
        return f"{before} → {after or 'nothing'}"

    def apply(self, folder: Path) -> None:
        """Write the file without the rule; its text has to be there, once."""
        path = folder / self.file
        before = path.read_text()
        assert before.count(self.text) == 1, f"{self.file}: {before.count(self.text)} times, not once: {self.text!r}"
        path.write_text(before.replace(self.text, self.instead))


def of(file: str, *mutants: tuple[str, str, str, tuple[str, ...]]) -> list[Mutant]:
    """Those of one file: rule, text, what stands in its place, tests."""
    return [Mutant(rule, file, text, instead, tests) for rule, text, instead, tests in mutants]
