"""Stripe as a card rail: rail.py asks, vocabulary.py translates, notifications.py listens."""
