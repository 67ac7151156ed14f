"""What must outlive a process: claims, results, messages."""
