"""The addresses of failures."""

from django.urls import path, re_path

from apps.tasks import failure_views

app_name = "failures"
urlpatterns = [
    path("", failure_views.failure_list, name="list"),
    path("changes/", failure_views.changes, name="changes"),
    re_path(r"^(?P<cause>[0-9a-f]{16})/$", failure_views.group, name="group"),
    re_path(r"^(?P<cause>[0-9a-f]{16})/changes/$", failure_views.group_changes, name="group_changes"),
    re_path(r"^(?P<cause>[0-9a-f]{16})/retry/$", failure_views.retry, name="retry"),
    re_path(r"^(?P<cause>[0-9a-f]{16})/delete/$", failure_views.delete, name="delete"),
]
