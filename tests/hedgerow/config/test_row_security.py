"""The declaration of roles and switches, and the settings that an identity becomes."""

from typing import cast
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgerow import ConfigurationError, Identity, IdentityError, Role, RoleNames, RowSecurity
from hedgerow.config.row_security import IdType

USER = uuid4()
NAMES = st.lists(
    st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1, max_size=15).filter(
        lambda name: name.lower() not in ("public", "none")
    ),
    min_size=len(RoleNames().names),
    max_size=len(RoleNames().names),
    unique=True,
)


@pytest.mark.parametrize(
    ("identity", "name", "database_role"),
    [
        (Identity(USER), str(USER), "none"),
        (Identity(USER, Role.ADMIN), str(USER), "shop_admin"),
        (Identity(USER, Role.READ_ONLY_ADMIN), str(USER), "shop_read_only_admin"),
        (Identity.sign_in("a@example.com"), "a@example.com", "shop_sign_in"),
        (Identity.anonymous(), "anonymous", "shop_anonymous"),
        (Identity.service("report"), "report", "shop_service"),
    ],
    ids=["user", "admin", "read-only admin", "sign-in", "anonymous", "service"],
)
def test_an_identity_becomes_settings(identity: Identity, name: str, database_role: str) -> None:
    row_security = RowSecurity(RoleNames.prefixed("shop"))
    settings = dict(row_security.settings_for(identity))
    read_only = settings.pop("transaction_read_only", "off")
    assert settings == {
        "row_security": "on",
        "app.user_id": name,
        "app.role": identity.role.value,
        "role": database_role,
    }
    assert list(settings)[-1] == "role"  # what is set after it is set with that role's rights
    assert read_only == ("on" if identity.role is Role.READ_ONLY_ADMIN else "off")


def test_no_identity_is_spelled_out() -> None:
    """P12, P16: inside a transaction a setting cannot be unset, only emptied."""
    settings = RowSecurity().settings_for(None)
    assert settings == {"row_security": "off", "app.user_id": "", "app.role": "", "role": "none"}


@pytest.mark.parametrize("identity", [None, Identity(USER), Identity(USER, Role.ADMIN)])
def test_switched_off_identities_are_sent_all_the_same(identity: Identity | None) -> None:
    """Privileges belong to the database roles, whether policies apply or not."""
    settings = RowSecurity(enabled=False).settings_for(identity)
    assert settings == RowSecurity().settings_for(identity)


@pytest.mark.parametrize("user_id", [USER, 7, "seven"])
def test_an_identity_reads_well(user_id: object) -> None:
    assert str(Identity(cast(int, user_id), Role.READ_ONLY_ADMIN)) == f"read_only_admin {user_id}"


@pytest.mark.parametrize("name", ["", " ", None])
def test_an_identity_without_a_name_is_refused(name: object) -> None:
    for kind in (Identity.sign_in, Identity.service):
        with pytest.raises(IdentityError, match="needs a name"):
            kind(cast(str, name))


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
    for default in RoleNames().names:
        assert deployment.documented(deployment.deployed(default)) == default
    assert {deployment.deployed(RoleNames.app), deployment.deployed(RoleNames.admin)} == {
        deployment.app,
        deployment.admin,
    }


def test_a_role_of_another_users_keeps_its_name() -> None:
    deployment = RoleNames(app="web")
    assert deployment.deployed("reporting") == "reporting"
    assert deployment.documented("reporting") == "reporting"
