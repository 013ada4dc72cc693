"""The library: what the project had before it kept its readers apart."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.BigInteger(), primary_key=True),
        sa.Column("email", sa.String(), nullable=False, unique=True),
        sa.Column("api_key", sa.String(), nullable=False, unique=True),
        sa.Column("is_librarian", sa.Boolean(), nullable=False),
    )
    op.create_table("genre", sa.Column("name", sa.String(), primary_key=True))
    op.create_table(
        "book",
        sa.Column("id", sa.BigInteger(), primary_key=True),
        sa.Column("reader_id", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("genre", sa.String(), sa.ForeignKey("genre.name")),
        sa.ForeignKeyConstraint(["reader_id"], ["account.id"], ondelete="CASCADE"),
    )
    op.create_index("ix_book_reader_id", "book", ["reader_id"])


def downgrade() -> None:
    op.drop_table("book")
    op.drop_table("genre")
    op.drop_table("account")
