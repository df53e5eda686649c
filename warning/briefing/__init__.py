"""The briefing of a week, one module for each form it takes."""
