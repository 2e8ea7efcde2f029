"""How benchmarks print: a small aligned table, or JSON with the same names."""

import json
from collections.abc import Mapping, Sequence

Cell = str | int | float | bool | None
Row = Mapping[str, Cell]


def show(rows: Sequence[Row], *, about: str, as_json: bool) -> None:
    """Print rows that share their columns; `about` says in one line what was measured."""
    if as_json:
        print(json.dumps({"about": about, "rows": rows}))
        return
    columns = list(rows[0])
    cells = [[_text(row[column]) for column in columns] for row in rows]
    widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    print(about)
    for line in (columns, *cells):
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _text(cell: Cell) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        return f"{cell:.3f}" if abs(cell) < 10 else f"{cell:.1f}"
    return str(cell)
