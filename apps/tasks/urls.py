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
    path("all/<int:number>/", sweep_views.sweep, name="sweep"),
    path("all/<int:number>/stop/", sweep_views.stop, name="sweep_stop"),
    path("new/", views.create, name="create"),
    path("examples/<slug:name>.py", views.example, name="example"),
    path("again/", views.again, name="again"),
    path("retry/", views.retry, name="retry"),
    path("cancel/", views.cancel, name="cancel"),
    path("priority/", views.priority, name="priority"),
    path("delete/", views.delete, name="delete"),
    path("<int:number>/", views.task, name="task"),
    path("<int:number>/shares/", share_views.links, name="shares"),
    path("<int:number>/shares/<int:share>/revoke/", share_views.revoke, name="share_revoke"),
    path("<int:number>/copy/", copy_views.task, name="task_copy"),
    path("<int:number>/changes/", views.task_changes, name="task_changes"),
    path("<int:number>/output/", attempt_views.output_changes, name="output_changes"),
    path("<int:number>/output.txt", attempt_views.output_text, name="output_text"),
    path("<int:number>/attempts/<int:attempt_number>/environment/", attempt_views.environment, name="environment"),
]
