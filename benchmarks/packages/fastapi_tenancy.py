"""fastapi-tenancy: why it takes no part."""

CANNOT_RUN = (
    "It is asynchronous only, and what it sends as a transaction begins is spelled for asyncpg, so"
    " it cannot run beside the others, which use synchronous sessions and psycopg 3."
)
