"""Files → documents with positions → a checked, resolved Graph. The only layer that reads a user's files."""
