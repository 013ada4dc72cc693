BEGIN;
GRANT SELECT, INSERT, UPDATE, DELETE
    ON organization, account, organization_member, project, task TO crm_web;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO crm_web;
ALTER POLICY tenant_isolation ON project TO CURRENT_USER, crm_web;
CREATE POLICY old_version ON organization TO crm_web USING (true);
CREATE POLICY old_version ON account TO crm_web USING (true);
CREATE POLICY old_version ON organization_member TO crm_web USING (true);
CREATE POLICY old_version ON task TO crm_web USING (true);
COMMIT;
