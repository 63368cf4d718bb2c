"""Venues whose public order books give us prices: one module per venue."""
