"""A SEPA bank that takes and leaves files: its own reading, its own books, one account for each folder."""
