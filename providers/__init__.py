"""The rails: one folder for each vendor, which translates it into the words of the ports."""
