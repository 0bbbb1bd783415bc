"""A mypy plugin: no expression of the product is a binary float (hard case M6).

Money and time pass through every room, so a call, an operator or an attribute that would give a float is an error
wherever it stands in `sla_manager`: `total / 3`, `float(row.cost)`, `span.total_seconds()`. For a span of time,
`(end - start) // timedelta(minutes=1)` is exact. What only times or draws lots (gateways, jobs, the demonstration's
chance) is left alone.
"""

from __future__ import annotations

from collections.abc import Callable

from mypy.plugin import AttributeContext, FunctionContext, MethodContext, Plugin
from mypy.types import Instance, Type, UnionType, get_proper_type

LEFT_ALONE = ("/gateways/", "/jobs/", "/cli/demonstration/")
Context = AttributeContext | FunctionContext | MethodContext


class NoFloats(Plugin):
    """Looks at what every call, operator and attribute gives."""

    def get_function_hook(self, fullname: str) -> Callable[[FunctionContext], Type] | None:
        """Look at the result of a function."""
        return _call

    def get_method_hook(self, fullname: str) -> Callable[[MethodContext], Type] | None:
        """Look at the result of a method; operators are methods too."""
        return _call

    def get_attribute_hook(self, fullname: str) -> Callable[[AttributeContext], Type] | None:
        """Look at an attribute."""
        return _attribute


def plugin(version: str) -> type[Plugin]:
    """Return the plugin, as mypy asks for it."""
    return NoFloats


def _call(context: FunctionContext | MethodContext) -> Type:
    return _looked_at(context, context.default_return_type)


def _attribute(context: AttributeContext) -> Type:
    return _looked_at(context, context.default_attr_type)


def _looked_at(context: Context, given: Type) -> Type:
    path = str(getattr(context.api, "path", "")).replace("\\", "/")
    if "sla_manager/" in path and not any(part in path for part in LEFT_ALONE) and _is_float(given):
        context.api.fail(
            "this is a binary float: use int, Decimal, Fraction, Money or Minutes", context.context
        )
    return given


def _is_float(given: Type) -> bool:
    proper = get_proper_type(given)
    if isinstance(proper, UnionType):
        return any(_is_float(item) for item in proper.items)
    return isinstance(proper, Instance) and proper.type.fullname == "builtins.float"
