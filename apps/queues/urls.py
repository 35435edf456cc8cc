"""The addresses of workers."""

from django.urls import path

from apps.queues import worker_views

app_name = "workers"
urlpatterns = [
    path("", worker_views.worker_list, name="list"),
    path("changes/", worker_views.changes, name="changes"),
    path("drain/", worker_views.drain, name="drain"),
    path("stop/", worker_views.stop, name="stop"),
    path("resume/", worker_views.resume, name="resume"),
    path("environments/<slug:digest>/", worker_views.environment, name="environment"),
]
