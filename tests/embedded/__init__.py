"""Tests of the bundled PostgreSQL's owner, with real servers in real processes."""
