"""Tests of the rails and of the far side."""
