"""Speed as ratios, measured in one run against the sandbox in a process of its own: `make bench`."""
