"""Use cases: what a command does, without its flags and its printing."""
