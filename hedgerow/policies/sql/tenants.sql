-- The tenants in which the asking user is a member, in one of the roles where some are given.
--
-- It reads memberships with the owner's rights, so that policies of the membership table may ask it
-- (P28). The user is verified as it runs, and with the user the tenant that narrows.
CREATE OR REPLACE FUNCTION rls.tenants(roles text[] DEFAULT NULL) RETURNS @{tenant_type}[]
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN ARRAY(
    SELECT member.@{tenant}
    FROM @{members} AS member
    WHERE
        member.@{user} = (SELECT rls.user_id())
        AND (roles IS NULL OR @{has_role})
        AND (
            (SELECT @{named_tenant} IS NULL)
            OR member.@{tenant} = (SELECT @{named_tenant}::@{tenant_type})
        )
);
