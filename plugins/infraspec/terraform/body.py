"""A block's body: attributes and blocks that know the text they stand in, compiled on first use."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct, field

from infraspec.finding import Location
from infraspec.hcl.nodes import Attribute, Block
from infraspec.hcl.source import Source
from infraspec.terraform.compiling import Evaluate
from infraspec.terraform.expressions import compile_expression

_RESOURCE_META_ARGUMENTS = frozenset({"count", "for_each", "provider", "depends_on", "lifecycle"})
_MODULE_META_ARGUMENTS = frozenset({"count", "for_each", "providers", "depends_on", "source", "version"})


class Body(Struct):
    """A body whose attributes and blocks know the text they stand in; override files may mix texts."""

    attributes: dict[str, tuple[Attribute, Source]]
    blocks: list[tuple[Block, Source]]
    source: Source
    at: int
    _compiled: dict[tuple[str, frozenset[str]], Evaluate] = field(default_factory=dict)
    _bodies: dict[int, Body] = field(default_factory=dict)

    @classmethod
    def of(cls, block: Block, source: Source) -> Body:
        """Wrap the body of a block."""
        attributes = {name: (attribute, source) for name, attribute in block.body.attributes.items()}
        return cls(attributes, [(inner, source) for inner in block.body.blocks], source, block.at)

    @property
    def location(self) -> Location:
        """Where the block begins."""
        return Location(self.source.name, self.source.line(self.at))

    def place(self, name: str = "") -> str:
        """Return `file:line:column` of an attribute, of the first nested block of a type, or of the block itself."""
        source, at = self._position(name) or (self.source, self.at)
        return source.place(at)

    def location_of(self, name: str) -> Location | None:
        """Return where an attribute is set, or a nested block begins."""
        found = self._position(name)
        return Location(found[0].name, found[0].line(found[1])) if found else None

    def _position(self, name: str) -> tuple[Source, int] | None:
        if name in self.attributes:
            attribute, source = self.attributes[name]
            return source, attribute.at
        for block, source in self.blocks:
            if block.type == name or (block.type == "dynamic" and block.labels == (name,)):
                return source, block.at
        return None

    def compiled(self, name: str, bound: frozenset[str] = frozenset()) -> Evaluate:
        """Return the closure of an attribute, compiled on first use."""
        key = (name, bound)
        if key not in self._compiled:
            attribute, source = self.attributes[name]
            self._compiled[key] = compile_expression(attribute.expression, source, bound)
        return self._compiled[key]

    def inner(self, position: int) -> Body:
        """Return the body of the nested block at a position, made once."""
        if position not in self._bodies:
            self._bodies[position] = Body.of(*self.blocks[position])
        return self._bodies[position]

    def arguments(self) -> Iterator[str]:
        """Yield the names of the attributes of a resource or data block that are no meta-arguments."""
        return (name for name in self.attributes if name not in _RESOURCE_META_ARGUMENTS)

    def inputs(self) -> Iterator[str]:
        """Yield the names of the attributes of a module call that set variables of the module."""
        return (name for name in self.attributes if name not in _MODULE_META_ARGUMENTS)
