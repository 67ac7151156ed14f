"""Files written for a new owner: the runtime as a project, first handlers."""
