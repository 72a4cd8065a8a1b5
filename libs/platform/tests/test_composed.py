"""Composed statements: written once per form, with the values of each query."""

from uuid import UUID, uuid4

from sqlalchemy import Select, Uuid, any_, column, literal, select, table
from sqlalchemy.dialects.postgresql import ARRAY

from countersign_platform.database.composed import composed

_T = table("things", column("id", Uuid()), column("name"), schema="lost").alias("t")


def query(name: str, ids: list[UUID], limit: int) -> Select[tuple[UUID]]:
    wanted = literal(ids, ARRAY(Uuid()))
    return (
        select(_T.c.id)
        .where(_T.c.id == any_(wanted), _T.c.name.icontains(name, autoescape=True))
        .limit(limit)
    )


def test_a_query_of_a_known_form_keeps_its_own_values() -> None:
    ids = [uuid4(), uuid4()]
    first, _ = composed(query("a", [], 1))
    second, values = composed(query("50%", ids, 20))
    assert second == first
    assert values == [ids, "50/%", 20]


def test_another_form_is_another_text() -> None:
    plain, values = composed(select(_T.c.id).where(_T.c.name == "x"))
    assert plain.endswith("WHERE t.name = $1::VARCHAR")
    assert values == ["x"]
    assert composed(select(_T.c.id).where(_T.c.name > "x"))[0] != plain
