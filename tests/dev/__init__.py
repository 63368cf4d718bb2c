"""Tests of the development instance's parts."""
