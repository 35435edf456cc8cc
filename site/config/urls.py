"""Every address of the web application."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from apps.accounts.views import no_second_door
from apps.queues.views import health, healthz, readyz
from config import styleguide
from config.graphql import endpoint

handler400 = "config.errors.bad_request"
handler403 = "config.errors.permission_denied"
handler404 = "config.errors.page_not_found"
handler500 = "config.errors.server_error"

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="tasks:list")),
    path("", include("apps.accounts.urls")),
    path("tasks/", include("apps.tasks.urls")),
    path("failures/", include("apps.tasks.failure_urls")),
    path("queues/", include("apps.queues.queue_urls")),
    path("workers/", include("apps.queues.urls")),
    path("overview/", include("apps.queues.overview_urls")),
    path("audit/", include("apps.audit.urls")),
    path("artifacts/", include("apps.tasks.artifact_urls")),
    path("shared/", include("apps.tasks.share_urls")),
    path("styleguide/", styleguide.show, name="styleguide"),
    path("graphql", endpoint, name="graphql"),  # a redirect would make a GET of a program's POST
    path("graphql/", endpoint, name="graphql"),  # the last of a name is the one that is told
    path("health/", health, name="health"),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("admin/login/", no_second_door),
    path("admin/password_change/", RedirectView.as_view(pattern_name="account")),
    path("admin/", admin.site.urls),
]
