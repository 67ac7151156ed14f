"""Old fields in manifests, and what stands for them today: found, rewritten in the text, or named. Pure."""
