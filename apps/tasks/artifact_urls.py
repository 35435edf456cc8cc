"""The addresses of artifacts: the sink brings them, people get them."""

from django.urls import path

from apps.tasks import artifact_views

app_name = "artifacts"
urlpatterns = [
    path("chunks/", artifact_views.chunks, name="chunks"),
    path("<number:number>/<str:name>", artifact_views.file, name="file"),
]
