BEGIN;
DROP POLICY old_version ON organization;
DROP POLICY old_version ON account;
DROP POLICY old_version ON organization_member;
DROP POLICY old_version ON task;
ALTER POLICY tenant_isolation ON project TO CURRENT_USER;
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM crm_web;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM crm_web;
COMMIT;
