"""What anybody sees who has the link to a task."""

from django.urls import path

from apps.tasks import share_views

app_name = "shared"
urlpatterns = [
    path("<str:text>/", share_views.shared, name="task"),
    path("<str:text>/artifacts/<number:number>/<str:name>", share_views.shared_file, name="file"),
]
