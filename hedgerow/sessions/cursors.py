"""psycopg cursors through which one execute is one statement.

psycopg sends a query without parameters through the simple protocol, in which text may hold
several statements. Injected SQL could then end the transaction with COMMIT and leave a trap on the
pooled connection for the next user: a temporary view in a table's place, a prepared statement of
the driver's own name. The extended protocol takes one statement only, at as many round trips.
"""

import re
from typing import Any

from psycopg import AsyncCursor, Cursor, Error, ProgrammingError
from psycopg._queries import PostgresQuery
from psycopg.pq import TransactionStatus
from psycopg.pq.abc import PGresult
from psycopg.rows import Row

from hedgerow.sessions.guarded import guarded

_LEAVES_MORE = re.compile(rb"PREPARE|DEALLOCATE|DECLARE|LISTEN|DO\b|LOAD")
"""Tags of statements that may leave more than settings in the session: a prepared statement, a
cursor, a subscription. DO may run any of them."""

_MAY_BE_BLOCK = re.compile(rb"\bDO\b", re.IGNORECASE)
"""Found in each DO, and in few other statements. What DO prepares stays, also where it then fails,
and a failure has no tag."""

_CHAINS = re.compile(rb"\bCHAIN\b", re.IGNORECASE)


class _SingleStatement:
    """Overrides psycopg's own hooks (3.2 and 3.3); a test fails where a release moves one."""

    _conn: Any
    _query: Any

    def _execute_send(
        self, query: PostgresQuery, *, force_extended: bool = False, binary: bool | None = None
    ) -> None:
        if _MAY_BE_BLOCK.search(query.query) and (state := guarded(self._conn)):
            state.ran_block = True
        send: Any = super()
        send._execute_send(query, force_extended=True, binary=binary)

    def _check_results(self, results: list[PGresult]) -> None:
        check: Any = super()
        state = guarded(self._conn)
        try:
            check._check_results(results)
        except Error:
            if state is not None and state.ran_block:
                state.has_more = True
            raise
        if state is not None:
            self._refuse_chained_transaction(results)
        for result in results:
            if state is not None and _LEAVES_MORE.match(result.command_status or b""):
                state.has_more = True

    def _refuse_chained_transaction(self, results: list[PGresult]) -> None:
        """Close a connection on which COMMIT AND CHAIN has begun a transaction.

        No BEGIN has made it anybody's, and whether it is READ ONLY could be changed again. ROLLBACK
        is what ROLLBACK TO SAVEPOINT answers, too.
        """
        pgconn = self._conn.pgconn
        if pgconn.transaction_status != TransactionStatus.INTRANS:
            return
        for result in results:
            tag = result.command_status
            if tag == b"COMMIT" or (tag == b"ROLLBACK" and _CHAINS.search(self._query.query)):
                pgconn.finish()
                raise ProgrammingError(
                    "AND CHAIN begins a transaction that carries no identity, so this connection"
                    " was closed: use commit() or rollback() of the session."
                )


class SingleStatementCursor(_SingleStatement, Cursor[Row]):
    """A cursor that refuses several statements in one text, with a ProgrammingError.

    The connections of an engine get it from `guard`, and one of psycopg's own as its
    `cursor_factory`.
    """


class AsyncSingleStatementCursor(_SingleStatement, AsyncCursor[Row]):
    """The asynchronous twin of `SingleStatementCursor`."""
