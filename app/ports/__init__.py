"""What we ask of the outside: one small Protocol and its frozen values per file."""
