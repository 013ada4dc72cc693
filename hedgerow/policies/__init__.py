"""A table's policies and grants: as declared, as wanted, and as the database has them."""

# Whatever of this room is imported first: declarations are noted as classes are mapped.
from hedgerow.policies import registry as registry
