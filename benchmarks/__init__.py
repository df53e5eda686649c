"""Measurements, each a module that can be run alone; ``make bench`` runs all and writes docs/benchmarks.md."""
