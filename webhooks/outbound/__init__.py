"""Events to subscribers: published in order, signed, delivered, and every attempt recorded."""
