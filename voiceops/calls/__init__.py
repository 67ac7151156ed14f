"""The calls that there were: read from Vapi's messages and lists, kept in the runtime's store, counted and compared."""
