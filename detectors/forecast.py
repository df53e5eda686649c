"""Forecast: is today's value beyond what Prophet's model expected of it at the last anchor?

Trend, weekday, year and the calendar's days, for daily and weekly series with a year of history or more, two to
have a season.  It extrapolates its trend, so look at ``outbreak`` beside it: on feeds whose level jumps it
stays wrong until the jump has become history.  For counts the level is followed around the
forecast and the tails are recalibrated over the panel, as ``outbreak`` does: it pools no more than that.

Source: Taylor & Letham (2018), The American Statistician 72: 37-45.  The band is not Prophet's, which goes
below zero: counts get a negative-binomial tail, amounts a gamma, others Student's t.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from detectors.additive.columns import special_days
from detectors.fits import Beat
from detectors.followed import followed
from detectors.forecasts import MOMENTS, Cache, Forecasts, Window, forecasts_of
from detectors.panel import FREQUENCIES, Floats, Panel, Reason, Scores, checked_last, first_reported, judged
from detectors.spread import Moments, around
from detectors.stan import Model
from detectors.tails import surprise

ENOUGH = 365  # days of history
MONDAY = 4  # days from 1970-01-01, a Thursday, to a Monday
ENGINES, GROWTHS, SEASONS = ("panel", "stan"), ("linear", "logistic", "flat"), ("additive", "multiplicative")


def forecast(
    panel: Panel,
    *,
    last: int = 1,
    engine: str = "panel",
    fit_every: int = 7,
    history: int = 1095,
    alpha: float = 0.001,
    recalibrate: bool = True,
    flexibility: float = 0.05,
    growth: str = "linear",
    seasonality: str = "additive",
    cap: float | None = None,
    cache: Cache | None = None,
    spawned: bool = False,
    beat: Beat | None = None,
) -> Scores:
    """Compare each of the last dates with the forecast made on the anchor day before it.

    Args:
        panel: Daily or weekly, (T, N), with ``holidays`` and ``festival`` if the calendar is to count.  What is NaN is
            left out of the fit.
        last: K, how many final dates to judge.
        engine: "panel" fits all series at once, exactly; "stan" is Prophet itself, series by series.
        fit_every: Days between fits.  Anchors count from a Monday, whatever the panel's first day, so that a
            replay fits on the days the service did; a fit sees only what lies before its anchor.
        history: Days before the anchor that are fitted, at least 365.
        alpha: Tail probability of each bound; surprise does not depend on it.
        recalibrate: Believe rises of counts less that came more often than they said in the half year before the
            anchor, in all series of like volume together.
        flexibility: Prophet's ``changepoint_prior_scale``.
        growth: "linear"; with "stan" also "logistic", up to ``cap``, and "flat".
        seasonality: "additive"; with "stan" also "multiplicative".
        cap: Where logistic growth ends, in the units of the series.
        cache: Forecasts made before, as text by content; new ones are put in.
        spawned: Prophet itself fits in processes of their own, which are ended when they take far too long.
        beat: Called now and then while they fit; raising from it ends them at once.

    Returns:
        Scores with (K, N) arrays.  Counts scatter as a mixture of negative binomials weighted by how well each had the
        steps before, never below Poisson's; the spread of others is that of the fit's residuals, as of new values.
        Abstains with SHORT_HISTORY where a series began under 365 days before the anchor or under half of its dates
        are reported; NOT_SUITED on monthly panels; FAILED where Prophet gives up or was ended, for that series and
        anchor alone.

    Raises:
        ValueError: if a parameter is out of its range, ``engine`` does not fit such a model, or the panel has
            fewer than ``last`` dates.
    """
    model = Model(engine, flexibility, growth, seasonality, cap)
    _check(model, fit_every, history, alpha)
    rows = np.arange(len(panel.dates) - checked_last(panel, last), len(panel.dates))
    observed = panel.values[rows]
    mean, moments = np.full(observed.shape, np.nan), np.full((*observed.shape, MOMENTS), np.nan)
    counted = np.full((5, *observed.shape), np.nan)  # expected, lower, upper, surprise, above
    reason = np.full(observed.shape, Reason.SHORT_HISTORY, dtype=np.int8)
    if panel.frequency not in FREQUENCIES:
        reason[:] = Reason.NOT_SUITED
    else:
        days, special = panel.dates.astype(np.int64), special_days(panel)
        anchors = days[rows] - (days[rows] - MONDAY) % fit_every
        for anchor in np.unique(anchors).tolist():
            judging = np.flatnonzero(anchors == anchor)
            # those that are silent now, too: how often rises came is learnt from all
            columns = np.flatnonzero(_enough(panel, anchor, history))
            if not len(columns):
                continue
            start, stop = np.searchsorted(days, [anchor - history, anchor])
            ahead = -(-fit_every // FREQUENCIES[panel.frequency])
            window = Window(
                panel.dates[start:stop], panel.values[start:stop, columns], special[start:stop], panel.frequency, ahead
            )
            found = forecasts_of(window, model, cache=cache, spawned=spawned, beat=beat)
            cells = np.ix_(judging, columns)
            mean[cells] = found.expected(rows[judging] - stop, special[rows[judging]])
            moments[cells] = found.moments
            reason[cells] = np.where(np.isfinite(mean[cells]), Reason.JUDGED, Reason.FAILED)
            of_counts = np.flatnonzero(panel.kinds[columns] == "count")
            if len(of_counts):
                until = int(rows[judging[-1]]) + 1
                part = found.take(of_counts)
                said = _followed(panel, part, columns[of_counts], special, stop, until, alpha, recalibrate)
                counted[:, judging[:, None], columns[of_counts]] = said[:, rows[judging] - stop]
    reason[np.isnan(observed)] = Reason.NOT_REPORTED
    others = around(panel.kinds, observed, mean, Moments(*np.moveaxis(moments, -1, 0)), alpha)
    told = np.stack([others.expected, others.lower, others.upper, surprise(others.tails), others.tails.above])
    expected, lower, upper, surprises, above = np.where(panel.kinds == "count", counted, told)
    return judged(
        reason, observed=observed, expected=expected, lower=lower, upper=upper, surprise=surprises, above=above
    )


def _followed(
    panel: Panel,
    found: Forecasts,
    columns: npt.NDArray[np.int64],
    special: Floats,
    stop: int,
    until: int,
    alpha: float,
    recalibrate: bool,
) -> Floats:
    """Return (5, rows, n) what is said of counts from an anchor, row ``stop``, until a row, the level followed."""
    start = max(stop - found.past.shape[1], 0)
    ahead = found.expected(np.arange(until - stop), special[stop:until])
    told = followed(
        panel.dates[start:until],
        str(panel.frequency),
        panel.values[start:until, columns],
        np.concatenate([found.past[:, start - stop :].T, ahead]),
        Moments(*found.moments.T),
        ahead=until - stop,
        alpha=alpha,
        recalibrate=recalibrate,
    )
    return np.stack([told.expected, told.lower, told.upper, told.surprise, told.above])


def _enough(panel: Panel, anchor: int, history: int) -> npt.NDArray[np.bool_]:
    """Return (N,) which series began long enough before an anchor, a day's number, and are reported often enough."""
    days, reported = panel.dates.astype(np.int64), ~np.isnan(panel.values)
    began = np.append(days, anchor)[first_reported(panel.values)]
    often = reported[(days >= anchor - history) & (days < anchor)].sum(axis=0) * FREQUENCIES[str(panel.frequency)]
    return np.asarray((anchor - began >= ENOUGH) & (often >= ENOUGH / 2))


def _check(model: Model, fit_every: int, history: int, alpha: float) -> None:
    if fit_every < 1 or history < ENOUGH or not 0 < alpha < 0.5 or model.flexibility <= 0:
        raise ValueError(
            f"forecast needs fit_every >= 1, history >= {ENOUGH}, 0 < alpha < .5 and flexibility > 0,"
            f" found fit_every={fit_every}, history={history}, alpha={alpha}, flexibility={model.flexibility}"
        )
    for name, value, known in (
        ("engine", model.engine, ENGINES),
        ("growth", model.growth, GROWTHS),
        ("seasonality", model.seasonality, SEASONS),
    ):
        if value not in known:
            raise ValueError(f"forecast: {name} {value!r} is unknown; known: {', '.join(known)}")
    if model.engine == "panel" and (model.growth, model.seasonality) != ("linear", "additive"):
        raise ValueError(
            f"forecast: engine 'panel' fits linear growth and additive seasons, found growth={model.growth!r},"
            f" seasonality={model.seasonality!r}; these need engine='stan'"
        )
    if (model.growth == "logistic") != (model.cap is not None) or (model.cap is not None and model.cap <= 0):
        raise ValueError(f"forecast: logistic growth needs a cap above 0, other growth none; found cap={model.cap}")
