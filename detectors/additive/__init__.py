"""Prophet's additive model for all series of a calendar in one solve: the exact maximum of its posterior.

Prophet fits trend, seasons and special days by climbing its posterior step by step, one series at a time.  For
a given noise the climb is not needed: the posterior is then a ridge regression in everything but the trend's 25
changes of slope, and a lasso in these.  So the ridge part is solved away in closed form, what remains is an
exact lasso in 25 unknowns, and the noise follows from the residuals.

``columns`` what a date is to the model; ``trend`` where each series' trend may bend; ``products`` the sums the
solution needs; ``ridge`` and ``lasso`` the two halves; ``solve`` the whole; ``posterior`` how good it is.

Source: Taylor & Letham (2018), The American Statistician 72: 37-45; the model is that of the package's Stan
file.
"""
