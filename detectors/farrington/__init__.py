"""Farrington's regression, as improved by Noufaily: what a count should be, by the same weeks of its own past years.

- ``anniversaries``: which past steps a date learns from, and the season of each.
- ``quasipoisson``: regressions on seasons and a trend, all dates and series of a call in one iteration.
- ``regression``: past outbreaks weighted down, the trend tested; what is foreseen of a date.
- ``exceedance``: tails and bounds as R's ``farringtonFlexible`` has them.
- ``method``: how ``outbreak`` uses it, as it is or as the mean its level follows.
"""
