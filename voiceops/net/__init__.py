"""What every request of ours has in common, whoever is asked: no vendor, no state."""
