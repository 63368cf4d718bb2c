"""Stripe's REST and signed webhooks, as far as a card rail uses them, over books of our own."""
