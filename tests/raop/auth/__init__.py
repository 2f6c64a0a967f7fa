"""Tests of proofs and keys."""
