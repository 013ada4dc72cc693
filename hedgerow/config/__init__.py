"""What a project declares: row security, roles, identities, signing, the audit trail."""
