"""Every adapter under its port's contract suite."""
