"""The functions and triggers of a project with tenants: who is a member, who founds, who stays.

Policies ask for the tenants of the asking user, those of the table of memberships too. A sub-select
there would ask itself without end (P28), so functions read memberships with the owner's rights:
those of the asking user's tenants, and nothing else.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

from hedgerow import sql
from hedgerow.config.identity import ROLE_SETTING, TENANT_SETTING, Role
from hedgerow.errors import LAST_OWNER
from hedgerow.policies.tenancy import FOUNDED, Tenancy

TENANTS = "rls.tenants(text[])"
"""The function whose comment says from what all of them were made."""
CO_MEMBERS = "rls.co_members()"
FOUNDS_TENANTS = "rls.founds_tenants()"
NOTE_FOUNDING = "rls.note_founding()"
FOUND_TENANT = "rls.found_tenant()"
KEEP_AN_OWNER = "rls.keep_an_owner()"
"""The function that a trigger of the table of memberships calls, where members have roles."""

_FOUNDED_SETTING = "app.founded"
"""Which tenant a statement makes: a note that anybody may forge, and nobody gains by."""

_FILES = {
    TENANTS: "tenants.sql",
    CO_MEMBERS: "co_members.sql",
    FOUNDED: "founded.sql",
    FOUNDS_TENANTS: "founds_tenants.sql",
    NOTE_FOUNDING: "note_founding.sql",
    FOUND_TENANT: "found_tenant.sql",
    KEEP_AN_OWNER: "keep_an_owner.sql",
}
SIGNATURES = list(_FILES)
"""All functions that a tenancy may have, in the order to make them."""

TRIGGER_FUNCTIONS = (NOTE_FOUNDING, FOUND_TENANT, KEEP_AN_OWNER)


@dataclass(frozen=True)
class MemberTrigger:
    """A trigger of a table, as SQL, named after the function in schema `rls` that it calls."""

    function: str
    table: str
    event: str
    condition: str = ""

    @property
    def name(self) -> str:
        """Its name."""
        return trigger_name(self.function)

    @property
    def create_statement(self) -> str:
        """The SQL that makes it."""
        return (
            f"CREATE OR REPLACE TRIGGER {sql.name(self.name)} {self.event} ON {self.table}"
            f" FOR EACH ROW{self.condition} EXECUTE FUNCTION {self.function}"
        )


def trigger_name(function: str) -> str:
    """Return the name of the trigger that calls a function, which is given with its schema."""
    return f"Hedgerow_{bare_name(function)}"


def bare_name(signature: str) -> str:
    """Return the name of a function in schema `rls`, without the schema and the arguments."""
    return signature.removeprefix("rls.").partition("(")[0]


def create_statements(tenancy: Tenancy) -> Iterator[str]:
    """Yield the SQL that makes functions and triggers, and notes in a comment from what."""
    for signature, statement in functions(tenancy).items():
        yield sql.in_current_schema(statement)
        if signature in TRIGGER_FUNCTIONS:  # or it could be put on a table of the caller's
            yield f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC"
    noted = json.dumps(asdict(tenancy), ensure_ascii=False)
    yield f"COMMENT ON FUNCTION {TENANTS} IS {sql.text_literal(noted)}"
    for trigger in triggers(tenancy):
        yield trigger.create_statement


def drop_statements(members: str, tenants: str) -> Iterator[str]:
    """Yield the SQL that removes what there is of them; both tables are given as SQL."""
    tables = {NOTE_FOUNDING: tenants, FOUND_TENANT: tenants, KEEP_AN_OWNER: members}
    for function in TRIGGER_FUNCTIONS:
        name = sql.name(trigger_name(function))
        yield f"DROP TRIGGER IF EXISTS {name} ON {tables[function]}"
    for signature in reversed(SIGNATURES):
        yield f"DROP FUNCTION IF EXISTS {signature}"


def triggers(tenancy: Tenancy) -> Iterator[MemberTrigger]:
    """Yield the triggers of both tables."""
    if tenancy.founding:
        tenants = sql.table_name(tenancy.tenants, tenancy.tenants_schema)
        yield MemberTrigger(NOTE_FOUNDING, tenants, "BEFORE INSERT")
        yield MemberTrigger(FOUND_TENANT, tenants, "AFTER INSERT", f" WHEN ({_is_asked(tenants)})")
    if tenancy.role is not None:
        members = sql.table_name(tenancy.members, tenancy.schema)
        was_owner = f"OLD.{sql.name(tenancy.role)} = {sql.text_literal(tenancy.owner)}"
        yield MemberTrigger(
            KEEP_AN_OWNER, members, "AFTER UPDATE OR DELETE", f" WHEN ({was_owner})"
        )


def functions(tenancy: Tenancy) -> Mapping[str, str]:
    """Return the SQL of each function by its signature, in the order to make them."""
    role = sql.name(tenancy.role) if tenancy.role is not None else None
    values = {
        "members": sql.qualified_name(tenancy.members, tenancy.schema),
        "tenants": sql.qualified_name(tenancy.tenants, tenancy.tenants_schema),
        "key": sql.name(tenancy.key),
        "tenant": sql.name(tenancy.tenant),
        "user": sql.name(tenancy.user),
        "tenant_type": tenancy.tenant_type,
        "user_type": tenancy.user_type,
        "has_role": f"member.{role}::text = ANY (tenants.roles)" if role else "false",
        "role": role or "",
        "and_role": f", {role}" if role else "",
        "owner": sql.text_literal(tenancy.owner),
        "and_owner": f", {sql.text_literal(tenancy.owner)}" if role else "",
        # Verified with the user: the signature covers both.
        "named_tenant": f"nullif(current_setting({sql.text_literal(TENANT_SETTING)}, true), '')",
        "all_tenants": tenancy.of_asking_user(None),
        "founded_setting": sql.text_literal(_FOUNDED_SETTING),
        "user_role": sql.text_literal(Role.USER),
        "last_owner": sql.text_literal(LAST_OWNER),
    }
    left_out = {
        CO_MEMBERS: not tenancy.co_members,
        **dict.fromkeys(
            (FOUNDED, FOUNDS_TENANTS, NOTE_FOUNDING, FOUND_TENANT), not tenancy.founding
        ),
        KEEP_AN_OWNER: role is None,
    }
    return {
        signature: _filled(file, values)
        for signature, file in _FILES.items()
        if not left_out.get(signature)
    }


def _is_asked(tenants: str) -> str:
    """Return the condition, as whoever inserts a tenant, under which the identity has to be known.

    Not that of a migration, or of another program's login. Users' policies apply to whoever could
    forge one, so a statement that takes its own back before the trigger runs founds no tenant
    without an owner.
    """
    claimed = f"current_setting({sql.text_literal(ROLE_SETTING)}, true)"
    table = f"{sql.text_literal(tenants)}::regclass"
    return f"row_security_active({table}) AND {FOUNDS_TENANTS} OR {claimed} <> ''"


def _filled(file: str, values: Mapping[str, str]) -> str:
    statement = sql.read("hedgerow.policies", file)
    return sql.fill(statement, **{word: values[word] for word in sql.placeholders(statement)})
