"""The types of text in requests.

PostgreSQL stores no NUL character, so every kind refuses one; a lone surrogate is refused by
pydantic's matching of the pattern. Patterns, unlike validators, also reach the OpenAPI document.
"""

from typing import Annotated, Final

from pydantic import AfterValidator, EmailStr, StringConstraints, TypeAdapter, ValidationError

SHORT_TEXT_LENGTH: Final = 255

_NO_NUL: Final = r"^[^\x00]*$"
# Control characters are as blank as spaces are; not all of them count as white space.
_NO_NUL_AND_NOT_BLANK: Final = r"^[^\x00]*[^\s\x00-\x1f\x7f][^\x00]*$"

PATTERN_SENTENCES: Final = {
    _NO_NUL: "Text must not contain a NUL character",
    _NO_NUL_AND_NOT_BLANK: "Text must not be blank and must not contain a NUL character",
}
"""The message for text that does not match, by pattern."""

Text = Annotated[str, StringConstraints(pattern=_NO_NUL)]
ShortText = Annotated[str, StringConstraints(max_length=SHORT_TEXT_LENGTH, pattern=_NO_NUL)]
Title = Annotated[
    str,
    StringConstraints(min_length=1, max_length=SHORT_TEXT_LENGTH, pattern=_NO_NUL_AND_NOT_BLANK),
]
Password = Annotated[str, StringConstraints(min_length=8, max_length=128, pattern=_NO_NUL)]

# 254 characters: RFC 5321, section 4.5.3.1.3, less the angle brackets. Lower case, so that A@x and
# a@x are one account.
Email = Annotated[EmailStr, StringConstraints(max_length=254), AfterValidator(str.lower)]

_email_adapter: Final[TypeAdapter[str]] = TypeAdapter(Email)


def normalize_email(text: str) -> str | None:
    """Return the address as it is stored, or None where the text is not an e-mail address."""
    try:
        return _email_adapter.validate_python(text)
    except ValidationError:
        return None
