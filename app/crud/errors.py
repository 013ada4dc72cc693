"""What can be wrong with a request that only the database knows."""


class EmailTakenError(Exception):
    """Another account has this e-mail address."""


class UserNotFoundError(Exception):
    """The user does not exist, or was deleted meanwhile."""
