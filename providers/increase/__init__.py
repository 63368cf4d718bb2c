"""Increase as a bank rail: rail.py asks, vocabulary.py translates, notifications.py listens."""
