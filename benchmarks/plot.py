"""A small chart as PNG: lines over two logarithmic axes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

SIZE = (900, 560)
LEFT, TOP, RIGHT, BOTTOM = 80, 50, 640, 500
COLOURS = ("#0b6e4f", "#6fb98f", "#b3541e", "#e0a458", "#34495e", "#7f8c8d")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A named line through points (x, y), all above 0."""

    name: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """Powers of ten between two pixels."""

    low: int
    high: int
    start: int
    end: int

    @classmethod
    def over(cls, values: Sequence[float], start: int, end: int) -> "Axis":
        """Return the axis that holds all values."""
        low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
        return cls(low=low, high=max(high, low + 1), start=start, end=end)

    def at(self, value: float) -> float:
        """Return the pixel of a value."""
        share = (math.log10(value) - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def marks(self) -> list[float]:
        """Return the powers of ten."""
        return [10.0**power for power in range(self.low, self.high + 1)]


def draw(lines: Sequence[Line], *, title: str, path: Path) -> None:
    """Write the chart."""
    image = Image.new("RGB", SIZE, "white")
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(15)
    x = Axis.over([point[0] for line in lines for point in line.points], LEFT, RIGHT)
    y = Axis.over([point[1] for line in lines for point in line.points], BOTTOM, TOP)
    pen.text((LEFT, 16), title, fill="black", font=font)
    for mark in x.marks():
        pen.line([(x.at(mark), TOP), (x.at(mark), BOTTOM)], fill="#dddddd")
        pen.text((x.at(mark) - 20, BOTTOM + 10), f"{mark:,.0f}", fill="black", font=font)
    for mark in y.marks():
        pen.line([(LEFT, y.at(mark)), (RIGHT, y.at(mark))], fill="#dddddd")
        pen.text((20, y.at(mark) - 8), f"{mark:g}", fill="black", font=font)
    for place, line in enumerate(lines):
        colour = COLOURS[place % len(COLOURS)]
        points = [(x.at(one), y.at(other)) for one, other in line.points]
        pen.line(points, fill=colour, width=3)
        for across, down in points:
            pen.ellipse([across - 5, down - 5, across + 5, down + 5], fill=colour)
        pen.text((RIGHT + 20, TOP + 24 * place), line.name, fill=colour, font=font)
    image.save(path, optimize=True)
