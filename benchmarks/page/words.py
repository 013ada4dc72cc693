"""How the page spells figures, the same everywhere."""

from typing import Any


def ratio(value: float) -> str:
    return f"{value:.3f}" if value < 10 else f"{value:,.0f}"


def interval(one: dict[str, Any]) -> str:
    """Return a ratio with its 95 % confidence interval."""
    return f"{ratio(one['ratio'])} ({ratio(one['ratio_low'])} to {ratio(one['ratio_high'])})"


def span(values: list[float], spell: Any) -> str:
    """Return `low to high`, or the one word that both come to."""
    low, high = spell(min(values)), spell(max(values))
    return low if low == high else f"{low} to {high}"


def time(value: float) -> str:
    return f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def count(value: float) -> str:
    return f"{value:,.0f}"


def enumeration(words: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def picture(name: str, title: str) -> str:
    return f"![{title}](performance/{name})"
