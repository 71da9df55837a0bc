"""Numbers as Go's fmt package writes them: %d %b %o %x %e %f %g with flags, width and precision.

Source: Terraform Language, "format Function", and Go's fmt package. Terraform holds numbers with 512 binary digits and
rounds what they hold exactly, so that `format("%.2f", 2.675)` is 2.67.
"""

from __future__ import annotations

from decimal import Context, Decimal
from fractions import Fraction

from msgspec import Struct

from infraspec.terraform.functions.characters import clusters
from infraspec.terraform.number import LongNumber, normalize_number, to_decimal
from infraspec.terraform.symbolic import Undetermined

_EXACT = Context(prec=2000)
_BITS = 512
_SHORTEST_LIMIT = 6
_DEFAULT_PRECISION = 6
_BASES = {"d": ("d", ""), "b": ("b", "0b"), "o": ("o", "0"), "x": ("x", "0x"), "X": ("X", "0X")}


class Layout(Struct, frozen=True):
    """The flags, width and precision of a verb; -1 is a precision that is not given."""

    flags: str = ""
    width: int = 0
    precision: int = -1

    def padded(self, value: str) -> str:
        """Fill text to the width: to the right with `-`, with zeros with `0`, even to the right."""
        return self._filled(value, "0" if "0" in self.flags else " ")

    def _filled(self, value: str, fill: str) -> str:
        missing = fill * (self.width - len(clusters(value)) if self.width else 0)
        return value + missing if "-" in self.flags else missing + value

    def padded_number(self, sign: str, digits: str) -> str:
        """Fill a number to the width, zeros between sign and digits."""
        if "0" in self.flags and "-" not in self.flags:
            return sign + digits.rjust(self.width - len(sign), "0")
        return self._filled(sign + digits, " ")

    def sign_of(self, value: float) -> str:
        """Return `-`, or what the flags want before a number that is not negative."""
        if value < 0:
            return "-"
        return "+" if "+" in self.flags else " " if " " in self.flags else ""


def integer_text(value: int, verb: str, layout: Layout) -> str:
    """Write a whole number in the base of a verb."""
    if layout.precision >= 0:
        raise Undetermined
    base, prefix = _BASES[verb]
    digits = format(abs(value), base)
    marked = prefix + digits if "#" in layout.flags else digits
    return layout.padded_number(layout.sign_of(value), marked)


def decimal_text(value: float, verb: str, layout: Layout) -> str:
    """Write a number with %e, %f or %g, or their upper-case forms."""
    if "#" in layout.flags:
        raise Undetermined
    digits = _WRITERS[verb.lower()](normalize_number(abs(to_decimal(value))), layout.precision)
    return layout.padded_number(layout.sign_of(value), digits.upper() if verb.isupper() else digits)


def _held(value: float) -> Decimal:
    """Return exactly what Terraform holds: the decimal rounded to 512 binary digits."""
    exact = Fraction(to_decimal(value))
    if not exact:
        return Decimal(0)
    shift = _BITS - exact.numerator.bit_length() + exact.denominator.bit_length()
    scaled = exact * Fraction(2) ** shift
    if int(scaled).bit_length() > _BITS:
        shift -= 1
        scaled /= 2
    held = Fraction(round(scaled)) / Fraction(2) ** shift
    return _EXACT.divide(Decimal(held.numerator), Decimal(held.denominator))


def _fixed(value: float, precision: int) -> str:
    return format(_held(value), f".{_DEFAULT_PRECISION if precision < 0 else precision}f")


def _scientific(value: float, precision: int) -> str:
    return _with_exponent(_held(value), _DEFAULT_PRECISION if precision < 0 else precision)


def _with_exponent(value: Decimal, decimals: int) -> str:
    mantissa, _, exponent = format(value, f".{decimals}e").partition("e")
    power = int(exponent) if value else 0
    return f"{mantissa}e{'-' if power < 0 else '+'}{abs(power):02d}"


def _general(value: float, precision: int) -> str:
    """Write the shortest text, or `precision` digits; with an exponent if it is small or large."""
    if not value:
        return "0"
    if precision < 0 and isinstance(value, LongNumber):
        raise Undetermined
    if precision < 0:
        number = to_decimal(value).normalize(_EXACT)
        limit = _SHORTEST_LIMIT
    else:
        number = Context(prec=max(precision, 1)).create_decimal(_held(value)).normalize(_EXACT)
        limit = max(precision, 1)
        count = len(number.as_tuple().digits)
        if limit > count >= number.adjusted() + 1:
            limit = count
    if -4 <= number.adjusted() < limit:  # noqa: PLR2004 - as in C and Go
        return format(number, "f")
    return _with_exponent(number, len(number.as_tuple().digits) - 1)


_WRITERS = {"e": _scientific, "f": _fixed, "g": _general}
