"""The audit trail: what admins did, written by the database, and chained."""
