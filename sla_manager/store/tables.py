"""The base of every stored class, with one naming convention and lazy loading turned off."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Date, Integer, MetaData, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from sla_manager.kernel.minutes import Minutes
from sla_manager.kernel.money import Money
from sla_manager.store.columns import InstantColumn, JsonColumn, MinutesColumn, MoneyColumn, QuantityColumn

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

Identifier = BigInteger().with_variant(Integer(), "sqlite")
"""A primary key: 64 bits on PostgreSQL, SQLite's own rowid there."""


class Table(DeclarativeBase):
    """A stored thing. Subclasses name the table and its constraints."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        Money: MoneyColumn,
        Minutes: MinutesColumn,
        Decimal: QuantityColumn,
        datetime: InstantColumn,
        date: Date,
        str: Text,
        dict[str, Any]: JsonColumn,
        list[Any]: JsonColumn,
    }


class Numbered(Table):
    """A stored thing with an integer key of its own."""

    __abstract__ = True

    id: Mapped[int] = mapped_column(Identifier, primary_key=True, sort_order=-1)
