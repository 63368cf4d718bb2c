"""The facts: one noun a file, its tables and every query on them."""
