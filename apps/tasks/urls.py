"""The addresses of tasks."""

from django.urls import path

from apps.tasks import attempt_views, copy_views, share_views, sweep_views, table_views, views

app_name = "tasks"
urlpatterns = [
    path("", table_views.task_list, name="list"),
    path("changes/", table_views.changes, name="changes"),
    path("completions/", table_views.completed, name="completions"),
    path("look/", table_views.look, name="look"),
    path("copy/", copy_views.table, name="copy"),
    path("all/", sweep_views.everything, name="everything"),
    path("all/<number:number>/", sweep_views.sweep, name="sweep"),
    path("all/<number:number>/stop/", sweep_views.stop, name="sweep_stop"),
    path("new/", views.create, name="create"),
    path("examples/<slug:name>.py", views.example, name="example"),
    path("again/", views.again, name="again"),
    path("retry/", views.retry, name="retry"),
    path("cancel/", views.cancel, name="cancel"),
    path("priority/", views.priority, name="priority"),
    path("delete/", views.delete, name="delete"),
    path("<number:number>/", views.task, name="task"),
    path("<number:number>/shares/", share_views.links, name="shares"),
    path("<number:number>/shares/<number:share>/revoke/", share_views.revoke, name="share_revoke"),
    path("<number:number>/copy/", copy_views.task, name="task_copy"),
    path("<number:number>/changes/", views.task_changes, name="task_changes"),
    path("<number:number>/output/", attempt_views.output_changes, name="output_changes"),
    path("<number:number>/output.txt", attempt_views.output_text, name="output_text"),
    path(
        "<number:number>/attempts/<number:attempt_number>/environment/", attempt_views.environment, name="environment"
    ),
]
