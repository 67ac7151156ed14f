"""One command a file: what it takes, which use case it calls, how the result is shown."""
