"""The rules: plain Python on plain values, standard library only."""
