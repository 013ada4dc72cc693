"""What PostgreSQL's catalogs say of row security: the one room that reads them for it."""
