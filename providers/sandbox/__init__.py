"""The far side, for development and tests: the vendors' own wire protocols over truth of its own on disk."""
