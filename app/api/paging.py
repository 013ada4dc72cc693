"""The part of a list that a request asks for."""

from typing import Annotated

from fastapi import Query

Skip = Annotated[int, Query(ge=0, le=2**31 - 1, description="How many rows to leave out.")]
Limit = Annotated[int, Query(ge=1, le=1000, description="How many rows to return at most.")]
