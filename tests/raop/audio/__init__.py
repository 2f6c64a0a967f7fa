"""Tests of decoding: media made here, served by a web server made here."""
