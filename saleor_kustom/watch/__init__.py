"""What the people who run the app see of it: logs, traces and numbers. Nothing is decided here."""
