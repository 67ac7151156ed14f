"""Call scripts, played against a running runtime."""
