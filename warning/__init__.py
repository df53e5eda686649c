"""Kapok Watch (木棉哨): the service that watches, judges and tells."""

__version__ = "0.1.0"
