"""The functions that write the audit trail, chain it, and have policies ask for it.

All run with the owner's rights, for nobody else may write an entry. They are defined anew by every
`alembic upgrade head`, as the functions of `hedgerow/provisioning/functions.py` are.
"""

from collections.abc import Iterable

from sqlalchemy import Connection, text

from hedgerow import sql
from hedgerow.audit.schema import TABLE, digest
from hedgerow.config.identity import ELEVATION_SETTING, REASON_SETTING, ROLE_SETTING, Role
from hedgerow.config.roles import RoleNames
from hedgerow.errors import UNRECORDED_ELEVATION

_ADMINS = f"({sql.text_literal(Role.ADMIN)}, {sql.text_literal(Role.READ_ONLY_ADMIN)})"
_HEADER = "SECURITY DEFINER SET search_path = pg_catalog, pg_temp"

RECORD_ELEVATION = "record_elevation(text, text, text, text, text)"
RECORD_WRITE = "record_write(regclass, text)"
INTERNAL = ("record_change()", "record_login()", "chain()")
"""Functions that nobody calls but triggers."""

LOCK_LASTS = "5s"
"""How long a commit waits for another's place in the chain."""

ELEVATION_LASTS = "1 minute"
"""How long after it was recorded an elevation may still begin a transaction, by one clock."""


def _setting(name: str) -> str:
    return f"coalesce(current_setting({sql.text_literal(name)}, true), '')"


def exist(connection: Connection) -> bool:
    """Return whether the audit trail's tables are there."""
    exists = text("SELECT to_regclass(:table) IS NOT NULL")
    return bool(connection.scalar(exists, {"table": TABLE}))


def define_statements(roles: RoleNames, *, reason_required: bool = False) -> Iterable[str]:
    """Return the SQL that defines the functions, and says who may call them.

    A function that writes may be called by logins that elevate. What PUBLIC could execute, anybody
    could put on a temporary table as a trigger, and write entries of their own.
    """
    yield _record_elevation(reason_required=reason_required)
    yield _verify_elevation()
    yield _record_write()
    yield _record_change(roles)
    yield _record_login(roles)
    yield _chain()
    for function in (RECORD_ELEVATION, RECORD_WRITE, *INTERNAL):
        yield f"REVOKE ALL ON FUNCTION rls.{function} FROM PUBLIC"
    logins = f"{sql.role_name(roles.app)}, {sql.role_name(roles.maintenance)}"
    yield f"GRANT EXECUTE ON FUNCTION rls.{RECORD_ELEVATION} TO {logins}"
    yield f"GRANT EXECUTE ON FUNCTION rls.{RECORD_WRITE} TO {sql.role_name(roles.admin)}"


def drop_statements() -> Iterable[str]:
    """Return the SQL that removes the functions, once nothing calls them."""
    for function in (RECORD_ELEVATION, RECORD_WRITE, "verify_elevation()", *INTERNAL):
        yield f"DROP FUNCTION rls.{function}"


def _record_elevation(*, reason_required: bool) -> str:
    """Define how an elevation is recorded: as the identity that the transaction carries.

    `subject` is the user as whom an admin looks at the database. One entry a transaction, for each
    has a transaction of its own: or one injected statement could write a million.
    """
    demand = (
        f"""IF trim(coalesce(reason, '')) = '' THEN
        RAISE EXCEPTION USING
            ERRCODE = '{UNRECORDED_ELEVATION}',
            MESSAGE = 'audit: an elevation needs a reason';
    END IF;"""
        if reason_required
        else ""
    )
    return f"""CREATE OR REPLACE FUNCTION rls.record_elevation(
    reason text, method text, path text, request_id text, subject text
) RETURNS bigint LANGUAGE plpgsql VOLATILE {_HEADER} AS $$
DECLARE
    recorded bigint;
BEGIN
    IF {_setting(ROLE_SETTING)} NOT IN {_ADMINS} THEN
        RAISE EXCEPTION USING
            ERRCODE = '{UNRECORDED_ELEVATION}',
            MESSAGE = 'audit: only an admin''s identity is an elevation';
    END IF;
    {demand}
    IF EXISTS (
        SELECT FROM {TABLE} entry WHERE entry.transaction = pg_current_xact_id()
            AND entry.at >= transaction_timestamp() AND entry.event = 'elevation'
    ) THEN
        RAISE EXCEPTION USING
            ERRCODE = '{UNRECORDED_ELEVATION}',
            MESSAGE = 'audit: this transaction has recorded an elevation already';
    END IF;
    INSERT INTO {TABLE} (event, user_id, role, reason, method, path, request_id, owner)
    VALUES ('elevation', rls.user_id()::text, {_setting(ROLE_SETTING)}, left(reason, 1000),
        left(method, 20), left(path, 2000), left(request_id, 200), left(subject, 200))
    RETURNING id INTO recorded;
    RETURN recorded;
END
$$"""  # noqa: S608


def _verify_elevation() -> str:
    """Define what `rls.role()` asks before it calls anybody an admin.

    The entry must have been committed by another transaction: one that this transaction wrote goes
    when it is rolled back, and what was read before would leave no trace. One that names a subject
    lets its admin look as that user, and no further.
    """
    return f"""CREATE OR REPLACE FUNCTION rls.verify_elevation() RETURNS text
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED {_HEADER} AS $$
DECLARE
    claimed text := {_setting(ELEVATION_SETTING)};
BEGIN
    IF claimed ~ '^[0-9]{{1,18}}$' AND EXISTS (
        SELECT FROM {TABLE} entry
        WHERE entry.id = claimed::bigint AND entry.event = 'elevation'
            AND entry.user_id = rls.user_id()::text
            AND entry.role = {_setting(ROLE_SETTING)}
            AND entry.owner IS NULL
            AND entry.at > transaction_timestamp() - interval '{ELEVATION_LASTS}'
            AND entry.transaction IS DISTINCT FROM pg_current_xact_id_if_assigned()
    ) THEN
        RETURN {_setting(ROLE_SETTING)};
    END IF;
    RAISE EXCEPTION USING
        ERRCODE = '{UNRECORDED_ELEVATION}',
        MESSAGE = 'audit: this admin''s transaction has no committed record of its elevation',
        HINT = 'Elevate through Hedgerow: AdminSessionDep in a route, AdminContext or admin_session'
            ' elsewhere. In a REPEATABLE READ transaction, elevate before its first query.';
END
$$"""  # noqa: S608


def _record_write() -> str:
    """Define what the admin's policies of INSERT, UPDATE and DELETE ask: the gate that records.

    PostgreSQL asks it once a statement, before the statement changes its first row. So it holds
    where the row's trigger does not: a statement can change `app.elevation` and its role between
    two rows, and the trigger's condition would not see an admin any more.
    """
    return f"""CREATE OR REPLACE FUNCTION rls.record_write(target regclass, command text)
RETURNS boolean LANGUAGE plpgsql VOLATILE {_HEADER} AS $$
BEGIN
    INSERT INTO {TABLE} (event, elevation, user_id, role, table_name, command)
    VALUES ('statement', nullif({_setting(ELEVATION_SETTING)}, '')::bigint,
        rls.user_id()::text, rls.verify_elevation(), target::text, command);
    RETURN true;
END
$$"""  # noqa: S608


def _record_change(roles: RoleNames) -> str:
    """Define the trigger of audited tables; its arguments are key, owner column and values.

    Who did it comes from the verified identity, so that no setting can name somebody else. The
    maintenance login may work without one: then the login is all that is known. A row is named by
    what it was before, or a row that an admin takes would be nobody else's.

    A row that jsonb cannot hold (a NUL in a json column, a quarter of a gigabyte of text) is
    recorded by its key alone: else its user could make it one that no admin can delete.
    """
    body = f"""DECLARE
    before jsonb;
    after jsonb;
    key text[] := TG_ARGV[0]::text[];
    named text[] := key || nullif(TG_ARGV[1], '');
    identified jsonb := '{{}}';
    name text;
    value jsonb;
    changed text[];
    who text;
    what text := 'maintenance';
BEGIN
    IF {_setting(ELEVATION_SETTING)} <> ''
        OR session_user <> {sql.text_literal(roles.maintenance)}
    THEN
        what := rls.verify_elevation();
        who := rls.user_id()::text;
    END IF;
    BEGIN
        before := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END;
        after := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END;
        identified := coalesce(before, after);
        SELECT array_agg(column_name ORDER BY column_name) INTO changed
        FROM jsonb_object_keys(identified) AS column_name
        WHERE before -> column_name IS DISTINCT FROM after -> column_name;
    EXCEPTION WHEN untranslatable_character OR program_limit_exceeded THEN
        before := NULL;
        after := NULL;
        FOREACH name IN ARRAY named LOOP
            EXECUTE format('SELECT to_jsonb(($1).%I)', name)
            INTO value USING CASE WHEN TG_OP = 'INSERT' THEN NEW ELSE OLD END;
            identified := identified || jsonb_build_object(name, value);
        END LOOP;
    END;
    INSERT INTO {TABLE} (event, elevation, user_id, role, table_name, row_key, owner, command,
        columns, changes)
    SELECT 'change', nullif({_setting(ELEVATION_SETTING)}, '')::bigint, who, what,
        TG_RELID::regclass::text,
        (SELECT jsonb_object_agg(k, identified -> k) FROM unnest(key) AS k),
        identified ->> TG_ARGV[1], TG_OP, changed,
        (SELECT jsonb_object_agg(v, jsonb_build_array(before -> v, after -> v))
            FROM unnest(TG_ARGV[2]::text[] || CASE WHEN TG_OP = 'UPDATE' THEN named END) AS v
            WHERE v = ANY (changed));
    RETURN NULL;
END"""  # noqa: S608
    return f"""CREATE OR REPLACE FUNCTION rls.record_change() RETURNS trigger
LANGUAGE plpgsql VOLATILE {_HEADER} AS {sql.text_literal(body)}"""


def _record_login(roles: RoleNames) -> str:
    """Define the event trigger that records each login of the maintenance role (from 17 on).

    That role goes round the policies, so nothing else could tell that it reads.
    """
    body = f"""BEGIN
    IF session_user = {sql.text_literal(roles.maintenance)} AND NOT pg_is_in_recovery() THEN
        INSERT INTO {TABLE} (event, role, reason)
        VALUES ('login', 'maintenance', left(nullif({_setting(REASON_SETTING)}, ''), 1000));
    END IF;
END"""  # noqa: S608
    return f"""CREATE OR REPLACE FUNCTION rls.record_login() RETURNS event_trigger
LANGUAGE plpgsql VOLATILE {_HEADER} AS {sql.text_literal(body)}"""


def _chain() -> str:
    """Define how the entries of a transaction get their places in the chain, as it commits.

    The head's row is locked only from here to the end of the commit, unless somebody says SET
    CONSTRAINTS ALL IMMEDIATE: then others give up after a while, and say so. A transaction whose
    snapshot is older than the head (REPEATABLE READ) gets a serialization failure, never a fork.
    """
    return f"""CREATE OR REPLACE FUNCTION rls.chain() RETURNS trigger
LANGUAGE plpgsql VOLATILE {_HEADER} SET lock_timeout = '{LOCK_LASTS}' AS $$
DECLARE
    head record;
    entry {TABLE};
BEGIN
    IF (SELECT position FROM {TABLE} WHERE id = NEW.id) IS NOT NULL THEN
        RETURN NULL; -- chained together with the first of this transaction
    END IF;
    SELECT * INTO STRICT head FROM rls.audit_head FOR UPDATE;
    FOR entry IN
        SELECT * FROM {TABLE}
        WHERE position IS NULL AND transaction = pg_current_xact_id() ORDER BY id
    LOOP
        entry.position := head.position + 1;
        entry.previous := head.hash;
        entry.hash := {digest("entry.")};
        UPDATE {TABLE} SET position = entry.position, previous = entry.previous, hash = entry.hash
        WHERE id = entry.id;
        head.position := entry.position;
        head.hash := entry.hash;
    END LOOP;
    UPDATE rls.audit_head SET position = head.position, hash = head.hash;
    RETURN NULL;
END
$$"""  # noqa: S608
