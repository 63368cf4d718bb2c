"""The side doors: facts come in as notifications and go out as events."""
