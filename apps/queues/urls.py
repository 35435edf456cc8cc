"""The addresses of workers."""

from django.urls import path

from apps.queues import worker_views

app_name = "workers"
urlpatterns = [
    path("", worker_views.worker_list, name="list"),
    path("changes/", worker_views.changes, name="changes"),
    path("environments/<slug:digest>/", worker_views.environment, name="environment"),
]
