-- Chains at the end of a transaction, so that it holds the lock on the head for a moment only.
CREATE CONSTRAINT TRIGGER chain AFTER INSERT ON rls.audit
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION rls.chain();
