"""Tests of the sandbox's SEPA bank."""
