"""Tests of the SEPA files."""
