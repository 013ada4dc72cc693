"""Teams: users who own rows in common. A project without a model of a team's rows has none of this.

`class Document(TenantScopedBase, table=True)` switches them on: it imports `app.teams.models`,
whose tables the next migration makes, and `app.api.main` serves the routes.
"""
