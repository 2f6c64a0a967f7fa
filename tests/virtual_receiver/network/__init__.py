"""Sockets of a receiver: RTSP over TCP, audio over UDP, mDNS."""
