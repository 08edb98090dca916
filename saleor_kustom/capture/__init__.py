"""What to capture and what to do next: pure decisions on frozen values, no I/O."""
