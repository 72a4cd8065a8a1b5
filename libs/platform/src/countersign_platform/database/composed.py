"""Statements whose WHERE depends on the request: composed with SQLAlchemy, run by asyncpg."""

from typing import Any, cast

from sqlalchemy import ColumnElement, Select, literal_column
from sqlalchemy.dialects.postgresql.asyncpg import dialect
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.util import LRUCache

_DIALECT = dialect()  # type: ignore[no-untyped-call] # SQLAlchemy left its types out
_FORMS = 500
_written: LRUCache[Any, Any] = LRUCache(_FORMS)


def at_most(rows: int) -> ColumnElement[int]:
    """A LIMIT that is part of the text, for `Select.limit`.

    For a limit that it does not know PostgreSQL assumes a tenth of all rows; the plan for that
    never pays, so it would plan at every call, which takes longer than to read a page.
    """
    return literal_column(str(int(rows)))


def composed(query: Select[*tuple[Any, ...]]) -> tuple[str, list[Any]]:
    """The query as asyncpg takes it: text with $1, $2 … and their values.

    A query of a form that was seen before is not written anew, as SQLAlchemy's engines do it:
    writing takes longer than all else that a list takes. Compare with `= ANY (array)`; an IN
    whose length is part of the text cannot be kept.
    """
    written, own, *_ = query._compile_w_cache(  # noqa: SLF001 — engines have no other door either
        _DIALECT, compiled_cache=_written, column_keys=[]
    )
    values = written.construct_params(extracted_parameters=own) or {}
    names = cast("SQLCompiler", written).positiontup or ()
    return str(written), [values[name] for name in names]
