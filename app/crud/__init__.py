"""Create, read, change and delete rows.

Functions that take `owner_id` check ownership themselves, so that they answer the same
where row security is off; `ALL_OWNERS` instead of an id, and the functions named `*_admin`, reach
every row that the session may see.
"""

from app.crud.errors import (
    EmailTakenError,
    LastSuperuserError,
    PasswordChangedError,
    UserNotFoundError,
)
from app.crud.items import (
    ALL_OWNERS,
    AllOwners,
    count_items,
    count_items_admin,
    create_item,
    delete_item,
    delete_item_admin,
    get_item,
    get_item_admin,
    get_items,
    get_items_admin,
    update_item,
    update_item_admin,
)
from app.crud.users import (
    WITH_PASSWORD_HASH,
    authenticate,
    count_users,
    create_user,
    delete_user,
    get_user_by_email,
    get_users,
    register_user,
    set_password,
    update_user,
)

__all__ = [
    "ALL_OWNERS",
    "WITH_PASSWORD_HASH",
    "AllOwners",
    "EmailTakenError",
    "LastSuperuserError",
    "PasswordChangedError",
    "UserNotFoundError",
    "authenticate",
    "count_items",
    "count_items_admin",
    "count_users",
    "create_item",
    "create_user",
    "delete_item",
    "delete_item_admin",
    "delete_user",
    "get_item",
    "get_item_admin",
    "get_items",
    "get_items_admin",
    "get_user_by_email",
    "get_users",
    "register_user",
    "set_password",
    "update_item",
    "update_item_admin",
    "update_user",
]
