"""One file a kind: what it is called at the vendor, how it is found, what may change, which fields are secret."""
