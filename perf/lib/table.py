# SPDX-License-Identifier: BSD-2-Clause
"""Medians, spreads, and tables of text."""

import statistics


def median(values):
    return statistics.median(values)


def spread(values):
    """Half the distance from the least to the most, as part of the median."""
    middle = statistics.median(values)
    return (max(values) - min(values)) / 2 / middle if middle else 0.0


def summary(values):
    return {"median": median(values), "min": min(values), "max": max(values)}


def duration(us):
    return f"{us / 1000:.2f} ms" if us >= 1000 else f"{us:.0f} us"


def render(header, rows):
    """Columns as wide as they must be, the first to the left."""
    cells = [header, *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    lines = []
    for row in cells:
        line = [row[0].ljust(widths[0])]
        line += [cell.rjust(width)
                 for cell, width in zip(row[1:], widths[1:])]
        lines.append("  ".join(line).rstrip())
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)


class Claim:
    """A figure that was promised, beside the one that was measured."""

    def __init__(self, name, measured, limit, *, least=False, unit=""):
        self.name, self.measured, self.limit = name, measured, limit
        self.least, self.unit = least, unit
        self.met = measured >= limit if least else measured <= limit

    def row(self):
        sign = ">=" if self.least else "<="
        return [self.name, f"{self.measured:.3g}{self.unit}",
                f"{sign} {self.limit:g}{self.unit}",
                "met" if self.met else "NOT MET"]

    def record(self):
        return {"name": self.name, "measured": self.measured,
                "limit": self.limit, "least": self.least, "met": self.met}


def claims(made):
    return render(["claim", "measured", "limit", ""],
                  [claim.row() for claim in made])
