"""Files written for a new owner: a first project, its pipeline, the runtime as a project, first handlers."""
