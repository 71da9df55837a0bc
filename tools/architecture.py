"""The wings of the package as they are: what each is for, what it imports, and the picture of them.

`make reference` writes what docs/architecture.md has of the code, and docs/images/architecture.svg.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from html import escape
from itertools import pairwise
from pathlib import Path
from textwrap import wrap

from msgspec import Struct

from tools import one_finding

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "architecture.md"
PICTURE = ROOT / "docs" / "images" / "architecture.svg"
PACKAGE = ROOT / "plugins" / "infraspec"
_WITHOUT_WING = {"__init__", "__main__", "plugin"}
"""The modules that every program begins with, and the paths that are kept for one release."""
_WIDTH, _SLOT, _GAP, _FLOOR, _MARGIN, _ROW = 196, 26, 26, 54, 24, 15
_SWEEPS = 24
_FACTS = "{modules} modules, {lines:,} lines"


class Wing(Struct, frozen=True):
    """What lies below infraspec: what it is for, its own packages, its size, and the wings that it imports."""

    name: str
    purpose: str
    rooms: Mapping[str, str]
    modules: int
    lines: int
    imports: frozenset[str]


class Node(Struct):
    """What has a place on a floor: a wing, or the point where an arrow from further up passes (no wing)."""

    wing: Wing | None
    x: float = 0


@cache
def wings() -> Mapping[str, Wing]:
    """Return the wings by name, from the sources; what is imported for types alone counts too."""
    files: dict[str, list[Path]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).with_suffix("").parts[0]
        if name not in _WITHOUT_WING:
            files.setdefault(name, []).append(path)
    return {name: _wing(name, paths, files.keys()) for name, paths in sorted(files.items())}


def _wing(name: str, paths: Sequence[Path], names: Collection[str]) -> Wing:
    texts = [path.read_text(encoding="utf-8") for path in paths]
    imported = {parts[0] for text in texts for parts in _imports(text)}.intersection(names)
    rooms = {path.parent.name: _purpose(path) for path in paths if path.match(f"{name}/*/__init__.py")}
    lines = sum(text.count("\n") for text in texts)
    own = next(path for path in paths if path.stem in {name, "__init__"})
    return Wing(name, _purpose(own), rooms, len(paths), lines, frozenset(imported - {name}))


def _purpose(path: Path) -> str:
    """Return the first sentence that a package says about itself."""
    return " ".join((ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n\n")[0].split())


def _imports(text: str) -> Iterator[list[str]]:
    """Yield what a module imports of infraspec, as parts of its name."""
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.ImportFrom(module="infraspec"):
                names = [f"infraspec.{alias.name}" for alias in node.names]
            case ast.ImportFrom(module=str(module)):
                names = [module]
            case ast.Import():
                names = [alias.name for alias in node.names]
            case _:
                continue
        yield from (name.split(".")[1:] for name in names if name.startswith("infraspec."))


def floors(house: Mapping[str, Wing]) -> dict[str, int]:
    """Return the floor of each wing, above all that it imports; the lowest is 0. Raises ValueError for a circle."""
    known: dict[str, int] = {}
    while len(known) < len(house):
        ready = [name for name, wing in house.items() if name not in known and wing.imports <= known.keys()]
        if not ready:
            raise ValueError("wings that import each other: " + ", ".join(sorted(house.keys() - known.keys())))
        known.update({name: max((known[each] + 1 for each in house[name].imports), default=0) for name in ready})
    return known


def arrows(house: Mapping[str, Wing]) -> list[tuple[str, str]]:
    """Return the imports between wings but those that follow from others: a wing that is reached by another way."""

    @cache
    def reached(name: str) -> frozenset[str]:
        return frozenset().union(*({each} | reached(each) for each in house[name].imports))

    return [
        (name, each)
        for name, wing in house.items()
        for each in sorted(wing.imports)
        if not any(each in reached(other) for other in wing.imports)
    ]


def page() -> str:
    """Return docs/architecture.md: what is written by hand, and between its marks what comes from the code."""
    text = PAGE.read_text(encoding="utf-8")
    for name, made in (("wings", table), ("finding", one_finding.lines)):
        head, begin, rest = text.partition(f"<!-- {name}: written by make reference -->\n")
        _, end, tail = rest.partition(f"<!-- /{name} -->")
        lines = "\n".join(made()).rstrip()
        text = f"{head}{begin}\n{lines}\n\n{end}{tail}"
    return text


def table() -> Iterator[str]:
    """Yield the wings from the top down as lines of a table, with their packages."""
    house = wings()
    floor = floors(house)
    direct: dict[str, list[str]] = {}
    for name, each in arrows(house):
        direct.setdefault(name, []).append(f"`{each}`")
    yield "| wing | what it is for | stands on |\n|---|---|---|"
    for name in sorted(house, key=lambda each: (-floor[each], each)):
        wing = house[name]
        yield f"| **`{name}/`** | {wing.purpose} | {', '.join(direct.get(name, ()))} |"
        for room, purpose in wing.rooms.items():
            yield f"| `{name}/{room}/` | {purpose} | |"


def picture() -> str:
    """Return the wings on their floors with the arrows between them, as SVG."""
    house = wings()
    levels, routes = _placed(house, floors(house), arrows(house))
    heights = [max(_height(node.wing) for node in level) for level in levels]
    tops = [_MARGIN + sum(heights[:each]) + _FLOOR * each for each in range(len(levels))]
    width = max(node.x + _half(node) for level in levels for node in level) + _MARGIN
    height = tops[-1] + heights[-1] + _MARGIN
    where = {id(node): number for number, level in enumerate(levels) for node in level}
    lines = [_HEAD.format(width=round(width), height=round(height))]
    curves = (_curve(route, tops, heights, where) for route in routes)
    lines += [f'<path class="arrow" d="{curve}" marker-end="url(#tip)"/>' for curve in curves]
    for number, level in enumerate(levels):
        lines += [line for node in level if node.wing for line in _box(node, node.wing, tops[number])]
    return "\n".join([*lines, "</svg>"]) + "\n"


def _placed(
    house: Mapping[str, Wing], floor: Mapping[str, int], between: Sequence[tuple[str, str]]
) -> tuple[list[list[Node]], list[list[Node]]]:
    """Put wings and the points of long arrows on floors, from the top down, so that few arrows cross."""
    top = max(floor.values())
    nodes = {name: Node(wing) for name, wing in house.items()}
    levels: list[list[Node]] = [[nodes[name] for name in house if top - floor[name] == each] for each in range(top + 1)]
    routes = []
    for upper, lower in between:
        points = [Node(None) for _ in range(floor[upper] - floor[lower] - 1)]
        for number, point in enumerate(points, top - floor[upper] + 1):
            levels[number].append(point)
        routes.append([nodes[upper], *points, nodes[lower]])
    pairs = [pair for route in routes for pair in pairwise(route)]
    _order(levels, pairs)
    for _ in range(_SWEEPS):
        for level in (*levels, *reversed(levels)):
            _settle(level, pairs)
    left = min(node.x - _half(node) for level in levels for node in level)
    for level in levels:
        for node in level:
            node.x += _MARGIN - left
    return levels, routes


def _order(levels: Sequence[list[Node]], pairs: Sequence[tuple[Node, Node]]) -> None:
    """Order each floor by the mean place of its neighbours (Sugiyama); keep the order with the fewest crossings."""
    best, kept = None, [list(level) for level in levels]
    for sweep in range(_SWEEPS):
        places = {id(node): index - len(level) / 2 for level in levels for index, node in enumerate(level)}
        for level in levels if sweep % 2 else reversed(levels):
            beside = {id(node): _neighbours(node, pairs, places, above=bool(sweep % 2)) for node in level}
            keys = {id(node): beside[id(node)] or [places[id(node)]] for node in level}
            level.sort(key=lambda node: keys[id(node)])
            places.update({id(node): index - len(level) / 2 for index, node in enumerate(level)})
        found = _crossings(levels, pairs)
        if best is None or found < best:
            best, kept = found, [list(level) for level in levels]
    for level, order in zip(levels, kept, strict=True):
        level[:] = order


def _neighbours(
    node: Node, pairs: Sequence[tuple[Node, Node]], places: Mapping[int, float], *, above: bool
) -> list[float]:
    """Return the mean place of what a node is connected with on the floor above or below, in a list; [] for nothing."""
    found = [places[id(pair[not above])] for pair in pairs if pair[above] is node]
    return [sum(found) / len(found)] if found else []


def _crossings(levels: Sequence[Sequence[Node]], pairs: Sequence[tuple[Node, Node]]) -> int:
    index = {id(node): (number, place) for number, level in enumerate(levels) for place, node in enumerate(level)}
    ends = [(*index[id(upper)], index[id(lower)][1]) for upper, lower in pairs]
    return sum(
        one[0] == other[0] and (one[1] - other[1]) * (one[2] - other[2]) < 0
        for number, one in enumerate(ends)
        for other in ends[:number]
    )


def _settle(level: Sequence[Node], pairs: Sequence[tuple[Node, Node]]) -> None:
    """Move the nodes of a floor as near to their neighbours as their order and widths allow (isotonic regression)."""
    places = {id(node): node.x for pair in pairs for node in pair}
    offset, groups = 0.0, list[tuple[float, int]]()
    offsets = []
    for number, node in enumerate(level):
        offset += _half(node) + _half(level[number - 1]) + _GAP if number else 0
        offsets.append(offset)
        both = [*_neighbours(node, pairs, places, above=True), *_neighbours(node, pairs, places, above=False)]
        mean, count = (sum(both) / len(both) if both else node.x) - offset, 1
        while groups and groups[-1][0] > mean:
            other, size = groups.pop()
            mean, count = (mean * count + other * size) / (count + size), count + size
        groups.append((mean, count))
    starts = [mean for mean, count in groups for _ in range(count)]
    for node, start, own in zip(level, starts, offsets, strict=True):
        node.x = start + own


def _half(node: Node) -> float:
    return (_WIDTH if node.wing else _SLOT) / 2


def _rooms(wing: Wing) -> list[str]:
    return wrap(", ".join(wing.rooms), 34)


def _height(wing: Wing | None) -> int:
    return 50 + _ROW * len(_rooms(wing)) if wing else 0


def _curve(route: Sequence[Node], tops: Sequence[float], heights: Sequence[float], where: Mapping[int, int]) -> str:
    """Draw an arrow from the lower edge of a box to the upper edge of another, straight through the floors between."""
    first = route[0]
    y = tops[where[id(first)]] + _height(first.wing)
    path = [f"M{first.x:.0f},{y:.0f}"]
    for upper, lower in pairwise(route):
        end = tops[where[id(lower)]] - (2 if lower.wing else 0)
        start = tops[where[id(upper)]] + heights[where[id(upper)]]
        path.append(f"L{upper.x:.0f},{start:.0f}")
        middle = (start + end) / 2
        path.append(f"C{upper.x:.0f},{middle:.0f} {lower.x:.0f},{middle:.0f} {lower.x:.0f},{end:.0f}")
    return " ".join(path)


def _box(node: Node, wing: Wing, top: float) -> Iterator[str]:
    left, own = node.x - _WIDTH / 2, _height(wing)
    facts = _FACTS.format(modules=wing.modules, lines=round(wing.lines, -2))
    yield f'<rect class="wing" x="{left:.0f}" y="{top:.0f}" width="{_WIDTH}" height="{own}" rx="6"/>'
    yield f'<text class="name" x="{node.x:.0f}" y="{top + 22:.0f}">{escape(wing.name)}</text>'
    yield f'<text class="fact" x="{node.x:.0f}" y="{top + 39:.0f}">{facts}</text>'
    for number, line in enumerate(_rooms(wing)):
        yield f'<text class="room" x="{node.x:.0f}" y="{top + 39 + _ROW * (number + 1):.0f}">{escape(line)}</text>'


_HEAD = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">
<title>The wings of infraspec and what each imports</title>
<style>
text {{ font-family: system-ui, "Segoe UI", Helvetica, Arial, sans-serif; text-anchor: middle; }}
.name {{ font-size: 16px; font-weight: 600; fill: #1f2933; }}
.fact {{ font-size: 11.5px; fill: #52606d; }}
.room {{ font-size: 11px; fill: #2b59a6; }}
.sheet {{ fill: #ffffff; }}
.wing {{ fill: #eef3fb; stroke: #7b8fb2; stroke-width: 1.2; }}
.arrow {{ fill: none; stroke: #7b8794; stroke-width: 1.3; }}
.tip {{ fill: #7b8794; }}
@media (prefers-color-scheme: dark) {{
.name {{ fill: #f1f4f8; }}
.fact {{ fill: #aab5c4; }}
.room {{ fill: #9cc0ff; }}
.sheet {{ fill: #161b22; }}
.wing {{ fill: #222c3c; stroke: #5f7599; }}
.arrow {{ stroke: #8b98a9; }}
.tip {{ fill: #8b98a9; }}
}}
</style>
<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">\
<path class="tip" d="M0,0.5 L8,4 L0,7.5 z"/></marker></defs>
<rect class="sheet" width="{width}" height="{height}" rx="10"/>"""
