"""What the public sees: strict shapes, shared by the API and the events."""
