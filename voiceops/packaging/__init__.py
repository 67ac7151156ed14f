"""The running voiceops as something that others can install: its wheel, and the line that installs it.

Files and metadata in, bytes out; no network, no build tool. Knows only the errors of the rest.
"""
