"""The page: what the service knows, shown to the people of one command centre.

Server-rendered and read-only, but for what departments push with their tokens; there is no login
yet, so it answers on this machine only, and only to requests that name this machine as their host.
One module a noun.
"""

from __future__ import annotations

from fastapi import FastAPI
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.staticfiles import StaticFiles

from warning.paths import PACKAGE
from warning.service import Deployment
from warning.web import alerts, briefings, faults, health, map, places, push
from warning.web.guard import HOSTS, guarded, headed
from warning.web.pages import desk_of

__all__ = ["create_app"]


def create_app(deployment: Deployment) -> FastAPI:
    """Return the application of a deployment; every request opens the store anew and closes it.

    Args:
        deployment: As loaded; ``Server.show`` gives it another one.
    """
    app = FastAPI(title="Kapok Watch", openapi_url=None, docs_url=None, redoc_url=None)
    app.state.desk = desk_of(deployment)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=HOSTS, www_redirect=False)
    app.add_middleware(guarded)
    app.add_middleware(headed)
    faults.handle(app)
    for module in (map, alerts, places, health, briefings, push):
        app.include_router(module.router)
    app.mount("/static/fonts", StaticFiles(directory=PACKAGE / "fonts"))
    app.mount("/static", StaticFiles(directory=PACKAGE / "web" / "static"))
    return app
