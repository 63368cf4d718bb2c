"""SEPA credit transfers by files: pain.001 out, pain.002 and camt.053 back, over a pair of folders."""
