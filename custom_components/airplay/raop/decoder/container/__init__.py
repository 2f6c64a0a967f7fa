"""Bytes of media as containers of libav, part by part."""
