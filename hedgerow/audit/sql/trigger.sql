-- The trigger of an audited table.
--
-- Its condition costs an ordinary user's statement a comparison a row and calls no function of
-- ours. The elevation and the login are asked for as well as the role, because what ON DELETE
-- CASCADE deletes is deleted as the table's owner.
CREATE TRIGGER @{name} AFTER INSERT OR UPDATE OR DELETE ON @{table} FOR EACH ROW
WHEN (
    current_user IN (@{admin_role}::name, @{service_role}::name)
    OR session_user = @{maintenance_role}::name
    OR current_setting(@{elevation_setting}, true) <> ''
)
EXECUTE FUNCTION rls.record_change(@{arguments});
