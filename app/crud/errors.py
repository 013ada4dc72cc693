"""What can be wrong with a request that only the database knows."""


class EmailTakenError(Exception):
    """Another account has this e-mail address."""


class UserNotFoundError(Exception):
    """The user does not exist, or was deleted meanwhile."""


class PasswordChangedError(Exception):
    """The account has another password or address by now than was looked at."""


class LastSuperuserError(Exception):
    """Without this account there would be no active superuser, and nobody could make one."""
