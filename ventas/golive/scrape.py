"""A page of /metrics, as text, and the few figures that are looked at in it."""

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from ventas.golive.findings import Finding

INFINITE = "+Inf"


@dataclass(frozen=True, slots=True)
class Page:
    """Every sample, by its name."""

    samples: Mapping[str, tuple[Sample, ...]]

    @classmethod
    def parse(cls, text: str) -> "Page":
        """Raises ValueError where it is no such page."""
        found: dict[str, tuple[Sample, ...]] = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                found[sample.name] = (*found.get(sample.name, ()), sample)
        return cls(found)

    def __len__(self) -> int:
        return sum(map(len, self.samples.values()))

    def total(self, name: str, **labels: str) -> float | None:
        """The sum of those that have these labels; None where there is none."""
        values = [
            sample.value
            for sample in self.samples.get(name, ())
            if all(sample.labels.get(label) == value for label, value in labels.items())
        ]
        return sum(values) if values else None

    def tells(self, name: str) -> bool:
        """Whether there is such a figure."""
        return name in self.samples

    def away(self) -> list[str]:
        """The parts that the web server does not reach."""
        return sorted(sample.labels["part"] for sample in self.samples.get("part_up", ()) if sample.value != 1)

    def histogram(self, name: str, *, outcomes: Collection[str]) -> "Histogram":
        """Those of these outcomes together."""
        counts: dict[float, float] = {}
        for sample in self.samples.get(f"{name}_bucket", ()):
            if sample.labels.get("outcome") not in outcomes:
                continue
            bound = sample.labels["le"]
            key = math.inf if bound == INFINITE else float(bound)
            counts[key] = counts.get(key, 0.0) + sample.value
        return Histogram(dict(sorted(counts.items())))


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many took at most so long: bound in seconds -> count, the bounds rising."""

    counts: Mapping[float, float]

    @property
    def count(self) -> float:
        """All of them."""
        return self.counts.get(math.inf, 0.0)

    def share_within(self, bound_s: float) -> float:
        """Which part of them, from 0 to 1, took at most so long; `bound_s` is one of the bounds."""
        return self.counts[bound_s] / self.count

    def quantile_s(self, share: float) -> float:
        """What so many of them took at most, as Prometheus estimates it: evenly spread within each bucket."""
        wanted, below, start_s = share * self.count, 0.0, 0.0
        for bound_s, count in self.counts.items():
            if count >= wanted:
                if math.isinf(bound_s):
                    return start_s
                return start_s + (bound_s - start_s) * (wanted - below) / max(count - below, 1.0)
            below, start_s = count, bound_s
        return start_s


Judge = Callable[[Page], Finding]
