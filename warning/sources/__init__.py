"""Feeds: one file a kind, each turning what it is given into checked rows or quarantine entries."""
