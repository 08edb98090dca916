"""Check everything that can be wrong, and say how to mend it."""
