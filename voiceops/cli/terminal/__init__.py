"""What commands share of the terminal: options, output, progress."""
