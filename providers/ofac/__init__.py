"""The sanctions list of the United States Treasury's Office of Foreign Assets Control (OFAC)."""
