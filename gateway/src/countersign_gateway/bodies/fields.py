"""Types that bodies and queries are made of."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from google.protobuf.timestamp_pb2 import Timestamp
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from countersign_gateway.json_body import WrittenNumber

# The offset is required: a time without one means another moment at every reader.
_RFC_3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_DATE_PATTERN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_DECIMAL_PATTERN = r"^-?[0-9]{1,12}(\.[0-9]{1,6})?$"
_POLICY_PATTERN = r"^[0-9]{1,12}(\.[0-9]{1,6})?$"


class Body(BaseModel):
    """A JSON object that knows all its members."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


def _as_written(value: Any) -> Any:
    """A decimal as text: a JSON number with the digits it was written with."""
    if isinstance(value, WrittenNumber):
        return value.text
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value


def _absent(value: Any) -> Any:
    """The contracts write "not known" as the empty string; so may callers."""
    return None if value == "" else value


def _moment(value: Any) -> Any:
    if not isinstance(value, str) or not _RFC_3339.fullmatch(value):
        raise ValueError("must be an RFC 3339 time with an offset, such as 2026-03-01T09:30:00Z")
    try:
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("is no such time") from None


def _decimal_schema(pattern: str) -> WithJsonSchema:
    written = {"type": "string", "pattern": pattern, "examples": ["12.50"]}
    return WithJsonSchema({"anyOf": [written, {"type": "number"}]})


OptionalMark = BeforeValidator(_absent)
DateText = Annotated[str, Field(pattern=_DATE_PATTERN, examples=["2026-03-01"])]
CurrencyText = Annotated[str, Field(pattern=r"^[A-Z]{3}$", examples=["EUR"])]
Sha256Text = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
DecimalText = Annotated[
    str,
    BeforeValidator(_as_written),
    Field(pattern=_DECIMAL_PATTERN),
    _decimal_schema(_DECIMAL_PATTERN),
]
PolicyValueText = Annotated[
    str,
    BeforeValidator(_as_written),
    Field(pattern=_POLICY_PATTERN),
    _decimal_schema(_POLICY_PATTERN),
]
# Characters that no text column holds would come back as a defect of ours.
QueryText = Annotated[str, Field(pattern=r"^[^\x00]*$")]
Moment = Annotated[
    datetime,
    BeforeValidator(_moment),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]


def timestamp(moment: datetime | None) -> Timestamp | None:
    """The moment (aware) as a message; None stays None."""
    if moment is None:
        return None
    message = Timestamp()
    message.FromDatetime(moment)
    return message
