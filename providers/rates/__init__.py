"""Venues whose public order books give us prices.

`ladder` keeps one side of a book; `kraken_book` and `binance_book` are each venue's rules for staying in step, pure
and without a clock; `stream` keeps a connection; `kraken` and `binance` are the adapters.
"""
