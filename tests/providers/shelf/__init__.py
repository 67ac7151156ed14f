"""A third vendor, as small as one can be: Shelf keeps labels. What voiceops needs of it is in this folder."""
