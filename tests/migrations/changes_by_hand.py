"""Changes by hand in a database of the mini-project `drift`.

{app} and {admin} stand for the roles' names.
"""

OWNS = "(owner_id = (SELECT rls.user_id()))"

# What is changed, how that is taken back, and what `alembic check` says of it.
TABLE_CHANGES = [
    (  # P38
        "ALTER POLICY note_owner_select ON note USING (true)",
        f"ALTER POLICY note_owner_select ON note USING {OWNS}",
        "('drop_rls_policy', 'note_owner_select', 'note'",
    ),
    (  # P30
        "ALTER POLICY note_owner_update ON note WITH CHECK (true)",
        f"ALTER POLICY note_owner_update ON note WITH CHECK {OWNS}",
        "('drop_rls_policy', 'note_owner_update', 'note'",
    ),
    (
        "ALTER POLICY note_shared ON note TO PUBLIC",
        "ALTER POLICY note_shared ON note TO {app}",
        "('drop_rls_policy', 'note_shared', 'note'",
    ),
    (  # P29
        "DROP POLICY note_open ON note; CREATE POLICY note_open ON note FOR UPDATE TO {app}"
        " USING (NOT locked) WITH CHECK (NOT locked)",
        "DROP POLICY note_open ON note; CREATE POLICY note_open ON note AS RESTRICTIVE"
        " FOR UPDATE TO {app} USING (NOT locked) WITH CHECK (NOT locked)",
        "('drop_rls_policy', 'note_open', 'note'",
    ),
    (
        "DROP POLICY note_owner_delete ON note",
        f"CREATE POLICY note_owner_delete ON note FOR DELETE TO {{app}} USING {OWNS}",
        "('create_rls_policy', 'note_owner_delete', 'note'",
    ),
    (  # P29
        "CREATE POLICY backdoor ON note USING (true)",
        "DROP POLICY backdoor ON note",
        "('drop_rls_policy', 'backdoor', 'note'",
    ),
    (  # P37
        "ALTER TABLE note DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE note ENABLE ROW LEVEL SECURITY",
        "('enable_rls', 'note'",
    ),
    (
        "ALTER TABLE note FORCE ROW LEVEL SECURITY",
        "ALTER TABLE note NO FORCE ROW LEVEL SECURITY",
        "('no_force_rls', 'note'",
    ),
    (  # P9
        "GRANT TRUNCATE, REFERENCES (id) ON note TO {app}",
        "REVOKE TRUNCATE, REFERENCES (id) ON note FROM {app}",
        "('revoke_table', 'note', ['REFERENCES (id)', 'TRUNCATE'], \"role='rls_app_user'\"",
    ),
    (
        "GRANT SELECT ON note TO PUBLIC",
        "REVOKE SELECT ON note FROM PUBLIC",
        "('revoke_table', 'note', ['SELECT'], \"role='public'\"",
    ),
    (
        "REVOKE INSERT ON note FROM {admin}",
        "GRANT INSERT ON note TO {admin}",
        "('grant_table', 'note', ['INSERT'], \"role='rls_admin'\"",
    ),
    (
        "GRANT UPDATE ON SEQUENCE note_id_seq TO {app}",
        "REVOKE UPDATE ON SEQUENCE note_id_seq FROM {app}",
        "('revoke_sequence', 'note', 'id', ['UPDATE'], \"role='rls_app_user'\"",
    ),
]

# What is changed, and what `alembic check` says of it.
OTHER_CHANGES = [
    ("ALTER ROLE {app} BYPASSRLS INHERIT", "Role '{app}' should be NOBYPASSRLS NOINHERIT."),
    (
        "REVOKE {admin} FROM {app}",
        "Role '{app}' should be a member of '{admin}', without inheriting it.",
    ),
    (
        "GRANT pg_read_all_data TO {app}",
        "Role '{app}' should not be a member of 'pg_read_all_data'.",
    ),
    (
        "CREATE OR REPLACE FUNCTION rls.role() RETURNS text LANGUAGE sql IMMUTABLE RETURN 'admin'",
        "Function rls.role() is altered or missing.",
    ),
    (
        "ALTER FUNCTION rls.require_identity() RENAME TO was_ours",
        "Function rls.require_identity() is altered or missing.",
    ),
    (
        "CREATE AGGREGATE rls.many (int) (SFUNC = int4pl, STYPE = int)",
        "Function rls.many(integer) is not Hedgerow's: drop it, or move it to another schema.",
    ),
]
