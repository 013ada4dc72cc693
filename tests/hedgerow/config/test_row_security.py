"""The declaration of roles and switches, and the settings that an identity becomes."""

from typing import cast
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgerow import ConfigurationError, Identity, Role, RoleNames, RowSecurity
from hedgerow.config.row_security import IdType

USER = uuid4()
NAMES = st.lists(
    st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1, max_size=15).filter(
        lambda name: name.lower() not in ("public", "none")
    ),
    min_size=4,
    max_size=4,
    unique=True,
)


@pytest.mark.parametrize(
    ("role", "database_role"),
    [(Role.USER, "none"), (Role.ADMIN, "the_admin"), (Role.READ_ONLY_ADMIN, "the_reader")],
)
def test_an_identity_becomes_settings(role: Role, database_role: str) -> None:
    row_security = RowSecurity(RoleNames(admin="the_admin", read_only_admin="the_reader"))
    settings = dict(row_security.settings_for(Identity(USER, role)))
    read_only = settings.pop("transaction_read_only", "off")
    assert settings == {
        "row_security": "on",
        "app.user_id": str(USER),
        "app.role": role.value,
        "role": database_role,
    }
    assert read_only == ("on" if role is Role.READ_ONLY_ADMIN else "off")


def test_no_identity_is_spelled_out() -> None:
    """P12: inside a transaction a setting cannot be unset, only emptied."""
    settings = RowSecurity().settings_for(None)
    expected = {"row_security": "off", "app.user_id": "", "app.role": "", "role": "none"}
    assert settings == expected


@pytest.mark.parametrize("identity", [None, Identity(USER), Identity(USER, Role.ADMIN)])
def test_switched_off_identities_are_sent_all_the_same(identity: Identity | None) -> None:
    """Privileges belong to the database roles, whether policies apply or not."""
    settings = RowSecurity(enabled=False).settings_for(identity)
    assert settings == RowSecurity().settings_for(identity)


@pytest.mark.parametrize("user_id", [USER, 7, "seven"])
def test_an_identity_reads_well(user_id: object) -> None:
    assert str(Identity(cast(int, user_id), Role.READ_ONLY_ADMIN)) == f"read_only_admin {user_id}"


@pytest.mark.parametrize("name", ["", "a\0b", "x" * 64, "ü" * 32])
def test_a_name_that_postgresql_would_not_keep_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="1 to 63 bytes"):
        RoleNames(app=name)


@pytest.mark.parametrize("name", ["public", "Public", "NONE"])
def test_a_name_that_means_no_role_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="a reserved word for roles"):
        RoleNames(app=name)


def test_one_name_for_two_roles_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="a name of its own"):
        RoleNames(app="same", admin="same")


def test_an_unknown_id_type_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="choose one of uuid, bigint, text"):
        RowSecurity(id_type=cast(IdType, "varchar"))


@given(NAMES)
def test_migrations_and_deployment_translate_into_each_other(names: list[str]) -> None:
    deployment = RoleNames(*names)
    for default in (
        RoleNames.app,
        RoleNames.admin,
        RoleNames.read_only_admin,
        RoleNames.maintenance,
    ):
        assert deployment.documented(deployment.deployed(default)) == default
    assert {deployment.deployed(RoleNames.app), deployment.deployed(RoleNames.admin)} == {
        deployment.app,
        deployment.admin,
    }


def test_a_role_of_another_users_keeps_its_name() -> None:
    deployment = RoleNames(app="web")
    assert deployment.deployed("reporting") == "reporting"
    assert deployment.documented("reporting") == "reporting"
