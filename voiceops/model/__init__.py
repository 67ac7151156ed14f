"""The nouns that every layer shares: addresses, JSON values with markers, graphs and plans. Pure."""
