"""How the kernel's types are stored: pence and minutes as integers, quantities as thousandths, instants in UTC."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, Enum, Text
from sqlalchemy.types import TypeDecorator

from sla_manager.kernel.clock import as_utc
from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money
from sla_manager.kernel.quantities import PLACES

_SCALE = 10**PLACES


class MoneyColumn(TypeDecorator[Money]):
    """Integer pence. Binding anything but `Money` is a `TypeError` before it reaches a database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Money | None, dialect: Dialect) -> int | None:
        if value is None:
            return None
        if not isinstance(value, Money):
            raise TypeError(f"a money column takes Money, not {type(value).__name__}: {value!r}")
        return value.pence

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Money | None:
        return None if value is None else Money(int(value))


class MinutesColumn(TypeDecorator[Minutes]):
    """Integer minutes. Binding anything but `Minutes` is a `TypeError`."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Minutes | None, dialect: Dialect) -> int | None:
        if value is None:
            return None
        if not isinstance(value, Minutes):
            raise TypeError(f"a minutes column takes Minutes, not {type(value).__name__}: {value!r}")
        return value.minutes

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Minutes | None:
        return None if value is None else Minutes(int(value))


class QuantityColumn(TypeDecorator[Decimal]):
    """An exact decimal of at most three places, stored as integer thousandths."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        if value is None:
            return None
        if not isinstance(value, Decimal):
            raise TypeError(f"a quantity column takes Decimal, not {type(value).__name__}: {value!r}")
        scaled = value * _SCALE
        if scaled != scaled.to_integral_value():
            raise ValueError(f"a quantity has at most {PLACES} decimals: {value}")
        return int(scaled)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Decimal | None:
        if value is None:
            return None
        return Decimal(int(value)).scaleb(-PLACES)


class InstantColumn(TypeDecorator[datetime]):
    """An instant, stored in UTC and always returned with its time zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        utc = as_utc(value)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class JsonColumn(TypeDecorator[Any]):
    """Facts as JSON text, the same bytes on either database."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any | None, dialect: Dialect) -> str | None:
        return None if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Any | None:
        return None if value is None else json.loads(value)


def enum_column(kind: type[StrEnum], name: str | None = None, *, constraint: bool = True) -> Enum:
    """Return a text column that holds one of the words of `kind`, checked by the database.

    `name` names the check where a table has two columns of one kind. `constraint` is false for a column that was
    added to a table that had rows: its check is a trigger, made by the migration.
    """
    return Enum(
        kind,
        native_enum=False,
        create_constraint=constraint,
        name=name or _snake(kind.__name__),
        length=40,
        values_callable=lambda members: [member.value for member in members],
    )


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
