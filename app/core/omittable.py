"""Fields of a partial update that may be left out, but never be null."""

from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema


@dataclass(frozen=True)
class NeverNull:
    """Marks `Annotated[T | None, NeverNull()] = None`: None means that the field was not given.

    An explicit null is refused, since it would reach a column that is NOT NULL, and the JSON
    schema does not offer it.
    """

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_before_validator_function(_refuse_null, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        nullable = handler(schema)
        (given,) = (kind for kind in nullable.pop("anyOf") if kind != {"type": "null"})
        return {**nullable, **given}


def _refuse_null(value: Any) -> Any:
    if value is None:
        raise PydanticCustomError("null_not_allowed", "Leave the field out or give it a value")
    return value
