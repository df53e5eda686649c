"""What analysts need before a rule goes live: its schema, tests, replays, comparisons and proposals."""
