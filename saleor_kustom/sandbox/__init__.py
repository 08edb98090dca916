"""The other sides, simulated over HTTP."""
