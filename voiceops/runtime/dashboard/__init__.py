"""One page that shows how the runtime does."""
