-- The tenants in which the asking user is a member, in one of the roles where some are given.
--
-- It reads memberships with the owner's rights, so that policies of the membership table may ask it
-- (P28). The user is verified as it runs, and with the user the tenant that narrows.
--
-- Each statement of a request runs it. PL/pgSQL keeps its plan for the session; before version 18
-- PostgreSQL plans a function in SQL anew in each statement, which takes longer than all the rest.
CREATE OR REPLACE FUNCTION rls.tenants(roles text[] DEFAULT NULL) RETURNS @{tenant_type}[]
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $body$
<<request>>
DECLARE
    asking @{user_type} := rls.user_id();
    narrowed @{tenant_type} := @{named_tenant};
BEGIN
    RETURN ARRAY(
        SELECT member.@{tenant}
        FROM @{members} AS member
        WHERE
            member.@{user} = request.asking
            AND (tenants.roles IS NULL OR @{has_role})
            AND (request.narrowed IS NULL OR member.@{tenant} = request.narrowed)
    );
END
$body$;
