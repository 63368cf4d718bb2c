"""Wiring: settings become adapters, a module for each vendor; `assembly` makes whole processes of them."""
