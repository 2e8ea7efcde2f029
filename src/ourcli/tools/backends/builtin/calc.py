"""`calc`: arithmetic with decimals.

The expression is read by Python's own parser and walked: nothing in it is ever run. A library would bring floats, names
and attributes that would have to be taken away again. Numbers have 100 digits and an exponent of five, so that no
expression of the allowed length takes long: `2**10**10` is too large after a handful of steps.
"""

import ast
import math
from collections.abc import Callable, Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal, DecimalException, Inexact, Overflow
from typing import Final

from ourcli.common.errors import ToolError
from ourcli.tools.backends.builtin.describing import TEXT, a_text, an_object, described
from ourcli.tools.backends.builtin.given import refused, text
from ourcli.tools.data import JsonObject
from ourcli.tools.ports import ToolContext
from ourcli.tools.spec import ToolExample, ToolSpec

MOST_CHARACTERS: Final = 500
_DIGITS: Final = 100
_EXPONENT: Final = 99_999
_SHOWN_DIGITS: Final = 28
_MOST_FACTORIAL: Final = 1_000
_PLAIN_ZEROS: Final = 30

SPEC: Final = described(
    "calc",
    "Calculate: + - * / // % ** and parentheses, with decimals of 100 digits; sqrt, abs, round, floor, ceil, min, max, "
    "sum, exp, ln, log10, sin, cos, tan, factorial, pi and e.",
    takes=an_object({"expression": a_text("Such as (3 + 4) * 2.5")}),
    gives=an_object({"expression": TEXT, "value": TEXT, "exact": {"type": "boolean"}}),
    examples=(
        ToolExample(
            input={"expression": "0.1 + 0.2"}, output={"expression": "0.1 + 0.2", "value": "0.3", "exact": True}
        ),
        ToolExample(input={"expression": "sqrt(2) * 10"}, description="a root"),
    ),
)


class _Refused(ValueError):  # noqa: N818  # becomes the tool's error
    """What the expression asks for is not calculated here."""


class Calculator:
    """The tool."""

    def spec(self) -> ToolSpec:
        """Return what it is."""
        return SPEC

    async def invoke(self, input: JsonObject, _context: ToolContext) -> JsonObject:  # noqa: A002
        """Calculate; see `ourcli.tools.ports.Tool`."""
        expression = text(input, "expression").strip()
        value, exact = calculated(expression)
        return {"expression": expression, "value": value, "exact": exact}


def calculated(expression: str) -> tuple[str, bool]:
    """Return the value of an expression as text, and whether nothing was rounded.

    Raises:
        ToolInputError: It is no expression.
        ToolError: It has no value, or one that is too large.
    """
    if not expression.isascii() or not 0 < len(expression) <= MOST_CHARACTERS:
        raise refused("expression", f"is not 1 to {MOST_CHARACTERS} plain characters")
    source = " ".join(expression.replace("^", "**").split())
    context = Context(prec=_DIGITS, Emax=_EXPONENT, Emin=-_EXPONENT)
    try:
        value = _Walk(source, context).value(ast.parse(source, mode="eval").body)
    except Overflow as exc:
        raise ToolError(f"the value of {expression!r} is too large") from exc
    except (DecimalException, ArithmeticError, OverflowError) as exc:
        raise ToolError(f"{expression!r} has no value", hint="it divides by zero or leaves the real numbers") from exc
    except (_Refused, SyntaxError, RecursionError, MemoryError, ValueError) as exc:
        why = str(exc) if isinstance(exc, _Refused) else "it cannot be read"
        raise refused("expression", f"is not arithmetic: {why}") from exc
    if not value.is_finite():
        raise ToolError(f"{expression!r} has no value")
    exact = not context.flags[Inexact]
    return _shown(value, exact=exact), exact


def _shown(value: Decimal, *, exact: bool) -> str:
    """Return a number with all its digits, or with those that are sure when it was rounded."""
    short = Context(prec=_DIGITS if exact else _SHOWN_DIGITS, Emax=_EXPONENT, Emin=-_EXPONENT)
    rounded = short.plus(value).normalize(short)
    exponent = rounded.as_tuple().exponent
    is_plain = isinstance(exponent, int) and exponent <= _PLAIN_ZEROS and rounded.adjusted() >= -_PLAIN_ZEROS
    return format(rounded, "f") if is_plain else str(rounded)


class _Walk:
    """Calculates what a parsed expression means; whatever is no arithmetic is refused."""

    def __init__(self, source: str, context: Context) -> None:
        self._source, self._context = source, context
        self._functions = _functions(context)

    def value(self, node: ast.expr) -> Decimal:
        """Return the number that a part of the expression stands for."""
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
            return self._number(node)
        if isinstance(node, ast.Name) and node.id in _CONSTANTS:
            self._context.flags[Inexact] = True
            return _CONSTANTS[node.id]
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
            inner = self.value(node.operand)
            return self._context.minus(inner) if isinstance(node.op, ast.USub) else inner
        if isinstance(node, ast.BinOp):
            return self._combined(node)
        if isinstance(node, ast.Call):
            return self._called(node)
        raise _Refused(f"{ast.unparse(node)[:60]!r} is not taken")

    def _number(self, node: ast.Constant) -> Decimal:
        """Return a number; one with a point is read from its digits, not from the nearest float."""
        if isinstance(node.value, int):
            return self._context.create_decimal(node.value)
        digits = self._source[node.col_offset : node.end_col_offset]
        return self._context.create_decimal(digits.replace("_", ""))

    def _combined(self, node: ast.BinOp) -> Decimal:
        context = self._context
        operations: Mapping[type[ast.operator], Callable[[Decimal, Decimal], Decimal]] = {
            ast.Add: context.add,
            ast.Sub: context.subtract,
            ast.Mult: context.multiply,
            ast.Div: context.divide,
            ast.FloorDiv: self._floor_divided,
            ast.Mod: self._remainder,
            ast.Pow: context.power,
        }
        operation = operations.get(type(node.op))
        if operation is None:
            raise _Refused(f"{type(node.op).__name__} is no operation of arithmetic")
        return operation(self.value(node.left), self.value(node.right))

    def _floor_divided(self, left: Decimal, right: Decimal) -> Decimal:
        """Round down, as `//` means, not towards zero as decimals do."""
        return self._context.divide(left, right).to_integral_value(rounding=ROUND_FLOOR)

    def _remainder(self, left: Decimal, right: Decimal) -> Decimal:
        """Give it the sign of the divisor, as `%` means."""
        rest = self._context.remainder(left, right)
        return self._context.add(rest, right) if rest and (rest < 0) != (right < 0) else rest

    def _called(self, node: ast.Call) -> Decimal:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        known = self._functions.get(name)
        if known is None or node.keywords:
            raise _Refused(f"there is no function {(name or ast.unparse(node.func))[:60]!r}")
        least, most, function = known
        if not least <= len(node.args) <= most:
            raise _Refused(f"{name} does not take {len(node.args)} values")
        return function(*(self.value(one) for one in node.args))


_Function = tuple[int, int, Callable[..., Decimal]]
_CONSTANTS: Final = {
    "pi": Decimal("3.1415926535897932384626433832795028841971693993751"),
    "e": Decimal("2.7182818284590452353602874713526624977572470937000"),
}


def _functions(context: Context) -> Mapping[str, _Function]:
    def rounded(value: Decimal, digits: Decimal = Decimal(0)) -> Decimal:
        if digits != int(digits) or abs(digits) > _DIGITS:
            raise _Refused("round takes a whole number of digits")
        wide = Context(
            prec=2 * _DIGITS + _EXPONENT, Emax=2 * _EXPONENT, Emin=-2 * _EXPONENT
        )  # to be asked to round is exact
        return context.create_decimal(value.quantize(Decimal(1).scaleb(-int(digits)), ROUND_HALF_UP, wide))

    def factorial(value: Decimal) -> Decimal:
        if value != int(value) or not 0 <= value <= _MOST_FACTORIAL:
            raise _Refused(f"factorial takes whole numbers up to {_MOST_FACTORIAL}")
        return context.create_decimal(math.factorial(int(value)))

    def by_float(function: Callable[[float], float]) -> Callable[[Decimal], Decimal]:
        def apply(value: Decimal) -> Decimal:
            context.flags[Inexact] = True
            return Decimal(repr(function(float(value))))

        return apply

    return {
        "sqrt": (1, 1, context.sqrt),
        "abs": (1, 1, context.abs),
        "round": (1, 2, rounded),
        "floor": (1, 1, lambda value: value.to_integral_value(rounding=ROUND_FLOOR)),
        "ceil": (1, 1, lambda value: value.to_integral_value(rounding=ROUND_CEILING)),
        "min": (1, 99, lambda *values: min(values)),
        "max": (1, 99, lambda *values: max(values)),
        "sum": (1, 99, lambda *values: context.plus(sum(values, Decimal(0)))),
        "exp": (1, 1, context.exp),
        "ln": (1, 1, context.ln),
        "log10": (1, 1, context.log10),
        "sin": (1, 1, by_float(math.sin)),
        "cos": (1, 1, by_float(math.cos)),
        "tan": (1, 1, by_float(math.tan)),
        "factorial": (1, 1, factorial),
    }
