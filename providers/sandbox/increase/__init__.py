"""Increase's REST and signed webhooks, as far as a bank rail uses them, over books of our own."""
