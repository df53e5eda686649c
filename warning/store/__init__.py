"""The service's database: the only package that speaks to it.

One module a noun, each a few functions with the ``Store`` first.  What writes is
called inside ``with store.write():``, so that a sweep or a file is stored whole or not at all.
"""

from warning.store.connection import Store, open_store, open_to_read
from warning.store.lock import alone

__all__ = ["Store", "alone", "open_store", "open_to_read"]
