"""What members of a user's teams see of the user: kept as the account says."""

from sqlalchemy import Connection, event, inspect, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapper
from sqlmodel import Session, col

from app.models import User
from app.teams.models import TeamProfile


def show_profile(session: Session, user: User) -> None:
    """Have the user's co-members see the user's name and address; the session is the user's."""
    shown = {"email": user.email, "full_name": user.full_name}
    profile = insert(TeamProfile).values(user_id=user.id, **shown)
    session.execute(
        profile.on_conflict_do_update(index_elements=[col(TeamProfile.user_id)], set_=shown)
    )


@event.listens_for(User, "after_update")
def _follow(_: Mapper[User], connection: Connection, user: User) -> None:
    """Change the name in the transaction that changes the account's; a foreign key, the address."""
    if inspect(user).attrs.full_name.history.has_changes():
        own = update(TeamProfile).where(col(TeamProfile.user_id) == user.id)
        connection.execute(own.values(full_name=user.full_name))
