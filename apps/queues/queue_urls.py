"""The addresses of queues."""

from django.urls import path

from apps.queues import queue_views

app_name = "queues"
urlpatterns = [
    path("", queue_views.queue_list, name="list"),
    path("changes/", queue_views.changes, name="changes"),
    path("<str:name>/pause/", queue_views.pause, name="pause"),
    path("<str:name>/resume/", queue_views.resume, name="resume"),
    path("<str:name>/limits/", queue_views.limits, name="limits"),
    path("<str:name>/purge/", queue_views.purge, name="purge"),
]
