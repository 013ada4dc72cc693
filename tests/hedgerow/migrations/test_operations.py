"""What an operation is on `alembic.op`, apart from what it does to a database."""

import pytest
from alembic.operations import Operations

from hedgerow.errors import MigrationError
from hedgerow.migrations.audit import CreateAuditTriggerOp
from hedgerow.migrations.autogenerate import around_tables
from hedgerow.migrations.operations import CreatePolicyOp, DisableOp, DropPolicyOp, EnableOp

CREATE = CreatePolicyOp(
    "note_open", "note", command="SELECT", roles=("rls_app_user",), using="open"
)


def test_help_on_an_operation_is_its_docstring() -> None:
    assert Operations.enable_rls.__doc__ == EnableOp.__doc__  # type: ignore[attr-defined]


def test_a_removal_that_autogenerate_found_is_reversed_exactly() -> None:
    trigger = CreateAuditTriggerOp("note", key=("id",), owner="owner_id", values=("title",))
    assert CREATE.reverse().reverse() is CREATE
    assert trigger.reverse().reverse() is trigger


def test_a_removal_that_knows_nothing_of_what_it_removes_is_not_reversed() -> None:
    with pytest.raises(MigrationError, match=r"op\.drop_rls_policy does not say what it removes"):
        DropPolicyOp("note_open", "note").reverse()


def test_operations_are_parted_in_their_order() -> None:
    drop, enable, disable = CREATE.reverse(), EnableOp("note"), DisableOp("tag")
    assert around_tables([CREATE, drop, enable, disable]) == ([drop, disable], [CREATE, enable])
