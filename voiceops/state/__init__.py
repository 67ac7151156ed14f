"""Where the state lives: what was applied, the journal of intents, the lock, revisions and blobs."""
