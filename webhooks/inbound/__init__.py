"""Notifications from providers: verified, stored once, and believed only after asking again."""
