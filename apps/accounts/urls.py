"""Addresses of signing in and out."""

from django.urls import path

from apps.accounts import views

urlpatterns = [
    path("login/", views.login, name="login"),
    path("logout/", views.logout, name="logout"),
    path("start/<str:token>", views.start, name="start"),
]
