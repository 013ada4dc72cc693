-- Whether the session's login is the application's: a policy that calls rls.founded() is its.
--
-- Another program's login, such as an older version's, has policies of its own. Whom SET ROLE names
-- does not matter, for a statement may do that.
CREATE OR REPLACE FUNCTION rls.founds_tenants() RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN EXISTS (
    SELECT
    FROM pg_policy AS policy
    INNER JOIN pg_depend AS called ON policy.oid = called.objid
    CROSS JOIN unnest(policy.polroles) AS applies (to_role)
    WHERE
        called.classid = 'pg_policy'::regclass
        AND called.refclassid = 'pg_proc'::regclass
        AND called.refobjid = 'rls.founded()'::regprocedure
        AND pg_has_role(session_user, applies.to_role, 'MEMBER')
);
