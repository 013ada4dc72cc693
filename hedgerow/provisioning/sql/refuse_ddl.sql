-- The event trigger's function, which refuses DDL to the application's login (P57).
--
-- Some DDL needs no privilege: DROP OWNED BY drops policies that name the login, and a temporary
-- table takes a table's place for the next user of the connection. The login counts, not the role:
-- SET ROLE and a function with its owner's rights change nothing.
CREATE OR REPLACE FUNCTION rls.refuse_ddl() RETURNS event_trigger
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    IF session_user = @{app_role} THEN
        RAISE EXCEPTION USING
            ERRCODE = @{refused_ddl},
            MESSAGE = format('row security: the application''s login runs no DDL (%s)', tg_tag),
            HINT = 'Create, change and drop things as the owner, in a migration.'
                ' Requests do without temporary tables.';
    END IF;
END
$body$;
