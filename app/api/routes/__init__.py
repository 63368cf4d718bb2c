"""The endpoints, one file per resource. A route is a sentence: parse, call one service, answer."""
