"""What goes wrong on a phone line although the API takes it, and what the API refuses beyond its schema.

A lint reads the checked graph and the texts that it came from; it never opens a connection.
"""
