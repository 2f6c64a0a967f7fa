"""Pictures of media."""

import base64

import pytest

from custom_components.airplay.raop.errors import RaopError
from custom_components.airplay.raop.media import picture_bytes, picture_type


def test_the_picture_of_a_command_is_base64() -> None:
    assert picture_bytes(base64.b64encode(b"picture").decode()) == b"picture"
    for text in ("no!", "cGl", "cGlj\n"):
        with pytest.raises(RaopError, match="not valid Base64"):
            picture_bytes(text)


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"RIFF\0\0\0\0WAVEfmt ", None),
        (b"<svg/>", None),
        (b"", None),
    ],
)
def test_the_first_bytes_tell_what_a_picture_is(
    content: bytes, content_type: str | None
) -> None:
    assert picture_type(content) == content_type
