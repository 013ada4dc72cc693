"""A table's policies and grants: as declared, as wanted, and as the database has them."""
