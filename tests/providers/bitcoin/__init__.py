"""The Bitcoin rail."""
