"""The far side, seen from outside."""
