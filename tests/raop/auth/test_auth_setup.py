"""`/auth-setup`."""

from custom_components.airplay.raop.auth.auth_setup import auth_setup_request


def test_request_offers_unencrypted_audio_and_the_known_key() -> None:
    assert auth_setup_request().encode(1) == (
        b"POST /auth-setup RTSP/1.0\r\nCSeq: 1\r\n"
        b"Content-Type: application/octet-stream\r\nContent-Length: 33\r\n\r\n\x01"
        + bytes.fromhex(
            "5902ede90d4ef2bd4cb68a6330038207a94dbd50d8aa465b5d8c012a0c7e1d4e"
        )
    )
