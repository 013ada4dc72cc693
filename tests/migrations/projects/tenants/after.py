"""The tables, declared, with the policies of the version before for as long as it runs."""

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from hedgerow import Scope

ID_TYPE = "bigint"

OLD = frozenset({"tenant_isolation", "old_version"})


class Base(DeclarativeBase):
    pass


class Organization(Base):
    __tablename__ = "organization"
    __rls__ = Scope.tenant(write={"owner", "admin"}, delete={"owner"}, unmanaged=OLD)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Account(Base):
    __tablename__ = "account"
    __rls__ = Scope.itself(sign_in="email", read="co_members", unmanaged=OLD)

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)


class OrganizationMember(Base):
    __tablename__ = "organization_member"
    __rls__ = Scope.members(
        tenant="organization_id",
        user="account_id",
        admins={"admin"},
        read="co_members",
        unmanaged=OLD,
    )
    __table_args__ = (UniqueConstraint("organization_id", "account_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id", ondelete="CASCADE"))
    account_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), index=True
    )
    role: Mapped[str]


class Project(Base):
    __tablename__ = "project"
    __rls__ = Scope.tenant("organization_id", write={"owner", "admin", "editor"}, unmanaged=OLD)

    id: Mapped[int] = mapped_column(primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), index=True)
    name: Mapped[str]


class Task(Base):
    __tablename__ = "task"
    __rls__ = Scope.through("project_id", unmanaged=OLD)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"), index=True)
    title: Mapped[str]
