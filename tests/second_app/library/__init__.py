"""A second application: plain SQLAlchemy, integer keys, asynchronous, without the template."""
