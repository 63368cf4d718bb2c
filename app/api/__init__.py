"""The front door: routes that parse, call one service and return a schema."""
