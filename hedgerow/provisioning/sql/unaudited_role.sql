-- rls.role() and rls.service() as they are without an audit trail,
-- for the kind of identities that the database has.
DO $do$ BEGIN
    IF to_regprocedure('rls.verify_identity()') IS NOT NULL THEN
        @{signed_role};
    ELSE
        @{plain_role};
    END IF;
    @{service};
END $do$;
