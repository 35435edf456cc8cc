"""Addresses of signing in and out, of everybody's own page, and of people."""

from django.urls import path

from apps.accounts import account_views, join_views, people_views, views

urlpatterns = [
    path("login/", views.login, name="login"),
    path("logout/", views.logout, name="logout"),
    path("start/<str:token>", views.start, name="start"),
    path("join/<str:token>", join_views.join, name="join"),
    path("people/", people_views.everybody, name="people"),
    path("people/<number:number>/", people_views.person, name="person"),
    path("people/<number:number>/switch/", people_views.switch, name="switch"),
    path("people/<number:number>/invite/", people_views.invite, name="invite"),
    path("account/", account_views.account, name="account"),
    path("account/tokens/", account_views.make_token, name="make_token"),
    path("account/tokens/all/", account_views.all_tokens, name="all_tokens"),
    path("account/tokens/<number:number>/revoke/", account_views.revoke_token, name="revoke_token"),
    path("account/password/", account_views.change_password, name="change_password"),
    path("account/sessions/end/", account_views.end_sessions, name="end_sessions"),
]
