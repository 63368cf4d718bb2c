"""What the tests stand on: a shared PostgreSQL, a far side, and a whole instance in one process."""
