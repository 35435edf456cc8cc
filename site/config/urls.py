"""Every address of the web application."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

import apps.api.converters  # noqa: F401 before the addresses that are made of it
from apps.accounts.views import no_second_door
from apps.queues.views import health, healthz, metrics_text, readyz
from config import graphiql, styleguide
from config.graphql import endpoint

handler400 = "config.errors.bad_request"
handler403 = "config.errors.permission_denied"
handler404 = "config.errors.page_not_found"
handler500 = "config.errors.server_error"

urlpatterns = [
    # First what open pages and programs ask for all the time: the addresses are tried in this order.
    path("", RedirectView.as_view(pattern_name="tasks:list")),
    path("graphql", endpoint, name="graphql"),  # a redirect would make a GET of a program's POST
    path("graphql/", endpoint, name="graphql"),  # the last of a name is the one that is told
    path("health/", health, name="health"),
    path("tasks/", include("apps.tasks.urls")),
    path("failures/", include("apps.tasks.failure_urls")),
    path("queues/", include("apps.queues.queue_urls")),
    path("workers/", include("apps.queues.urls")),
    path("overview/", include("apps.queues.overview_urls")),
    path("audit/", include("apps.audit.urls")),
    path("artifacts/", include("apps.tasks.artifact_urls")),
    path("shared/", include("apps.tasks.share_urls")),
    path("", include("apps.accounts.urls")),
    path("styleguide/", styleguide.show, name="styleguide"),
    path("graphiql/", graphiql.show, name="graphiql"),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics_text, name="metrics"),
    path("admin/login/", no_second_door),
    path("admin/password_change/", RedirectView.as_view(pattern_name="account")),
    path("admin/", admin.site.urls),
]
