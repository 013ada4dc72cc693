"""Charts as SVG: text stays text, and colours follow the reader's light or dark scheme."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from xml.etree import ElementTree as Xml

_STYLE = """
svg { color-scheme: light dark; font: 12px system-ui, sans-serif; }
text { fill: #24292f; dominant-baseline: central; }
.paper { fill: #ffffff; } .faint { fill: #57606a; } .strong { font-weight: 600; }
.grid { stroke: #d0d7de; } .axis { stroke: #57606a; } .whisker { stroke: #24292f; }
.line { fill: none; stroke-width: 2; }
.c0 { fill: #6e7781; } .c1 { fill: #1a7f64; } .c2 { fill: #0b5cad; } .c3 { fill: #8250a8; }
.c4 { fill: #b35900; }
.l0 { stroke: #6e7781; } .l1 { stroke: #1a7f64; } .l2 { stroke: #0b5cad; } .l3 { stroke: #8250a8; }
.l4 { stroke: #b35900; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .paper { fill: #0d1117; } .faint { fill: #9da7b1; }
  .grid { stroke: #30363d; } .axis { stroke: #9da7b1; } .whisker { stroke: #e6edf3; }
  .c0 { fill: #8b949e; } .c1 { fill: #3fb68b; } .c2 { fill: #58a6ff; } .c3 { fill: #bc8cff; }
  .c4 { fill: #f0883e; }
  .l0 { stroke: #8b949e; } .l1 { stroke: #3fb68b; } .l2 { stroke: #58a6ff; }
  .l3 { stroke: #bc8cff; } .l4 { stroke: #f0883e; }
}
"""
"""The paper is opaque: a page may be dark where the reader's system is light."""


@dataclass
class Picture:
    """A drawing of `width` user units, which grows downwards; `title` and `text` are read aloud."""

    title: str
    text: str
    width: int = 760
    height: float = 0
    _drawn: list[Xml.Element] = field(default_factory=list)

    def write(
        self, x: float, y: float, text: str, *, anchor: str = "start", style: str = ""
    ) -> None:
        attributes = {"x": _short(x), "y": _short(y), "text-anchor": anchor}
        if style:
            attributes["class"] = style
        element = Xml.Element("text", attributes)
        element.text = text
        self._drawn.append(element)
        self.height = max(self.height, y + 14)

    def bar(self, x: float, y: float, width: float, height: float, color: int) -> None:
        size = {"width": _short(max(width, 1)), "height": _short(height)}
        place = {"x": _short(x), "y": _short(y)}
        self._drawn.append(Xml.Element("rect", {"class": f"c{color}", **place, **size}))
        self.height = max(self.height, y + height + 6)

    def line(self, begin: tuple[float, float], end: tuple[float, float], style: str) -> None:
        places = zip(("x1", "y1", "x2", "y2"), (*begin, *end), strict=True)
        attributes = {name: _short(place) for name, place in places}
        self._drawn.append(Xml.Element("line", {"class": style, **attributes}))

    def path(self, points: Sequence[tuple[float, float]], color: int) -> None:
        places = " ".join(f"{_short(x)},{_short(y)}" for x, y in points)
        self._drawn.append(Xml.Element("polyline", {"class": f"line l{color}", "points": places}))
        for x, y in points:
            place = {"cx": _short(x), "cy": _short(y), "r": "3"}
            self._drawn.append(Xml.Element("circle", {"class": f"c{color}", **place}))

    def legend(self, y: float, names: Sequence[tuple[str, int]]) -> None:
        x = 12.0
        for name, color in names:
            self.bar(x, y - 6, 12, 12, color)
            self.write(x + 18, y, name)
            x += 34 + 6.6 * len(name)

    def as_text(self) -> str:
        """Return the file; the same drawing is the same text."""
        size = f"0 0 {self.width} {math.ceil(self.height)}"
        root = Xml.Element(
            "svg", {"xmlns": "http://www.w3.org/2000/svg", "viewBox": size, "role": "img"}
        )
        Xml.SubElement(root, "title").text = self.title
        Xml.SubElement(root, "desc").text = self.text
        Xml.SubElement(root, "style").text = _STYLE
        Xml.SubElement(root, "rect", {"class": "paper", "width": "100%", "height": "100%"})
        root.extend(self._drawn)
        Xml.indent(root)
        return Xml.tostring(root, encoding="unicode") + "\n"


@dataclass(frozen=True)
class LogScale:
    """Positions from `begin` to `end` for values from `low` to `high`, equal ratios equally far."""

    low: float
    high: float
    begin: float
    end: float

    def at(self, value: float) -> float:
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return self.begin + share * (self.end - self.begin)

    @property
    def marks(self) -> list[float]:
        """Round values between low and high, of which neighbours are not too near."""
        powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        steps = (1, 2, 5) if self.high / self.low < 300 else (1,)
        marks = [step * 10.0**power for power in powers for step in steps]
        return [mark for mark in marks if self.low <= mark <= self.high]


def log_scale(values: Sequence[float], begin: float, end: float) -> LogScale:
    """Return a scale from the round value below the smallest to the one above the largest."""
    rounded = sorted(step * 10.0**power for power in range(-4, 13) for step in (1, 2, 5))
    low = max(mark for mark in rounded if mark <= min(values))
    high = min(mark for mark in rounded if mark > max(values))
    return LogScale(low, high, begin, end)


def _short(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
