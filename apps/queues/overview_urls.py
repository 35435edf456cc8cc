"""The addresses of the overview."""

from django.urls import path

from apps.queues import overview_views

app_name = "overview"
urlpatterns = [
    path("", overview_views.show, name="show"),
    path("changes/", overview_views.changes, name="changes"),
    path("hour/", overview_views.hour, name="hour"),
]
