"""What happens when somebody signs in, comes to be, or gets another role."""

from django.apps import AppConfig, apps
from django.contrib.auth.signals import user_logged_in
from django.db.models.signals import m2m_changed, post_delete, post_migrate, post_save


class AccountsConfig(AppConfig):
    name = "apps.accounts"

    def ready(self) -> None:
        from django.contrib.auth.models import Group, User  # noqa: PLC0415 the models are there only now

        from apps.accounts import remembered, roles, visits  # noqa: PLC0415
        from apps.accounts.models import Session  # noqa: PLC0415

        user_logged_in.connect(visits.begin, dispatch_uid="visits")
        post_save.connect(roles.begin, sender=User, dispatch_uid="roles")
        m2m_changed.connect(roles.changed, sender=User.groups.through, dispatch_uid="roles")
        m2m_changed.connect(roles.changed, sender=User.user_permissions.through, dispatch_uid="roles")
        post_delete.connect(remembered.forget, sender=Session, dispatch_uid="remembered")
        post_save.connect(remembered.forget, sender=User, dispatch_uid="remembered")
        for through in (User.groups.through, User.user_permissions.through, Group.permissions.through):
            m2m_changed.connect(remembered.forget, sender=through, dispatch_uid="remembered")
        # The last of the apps whose permissions the roles give.
        post_migrate.connect(roles.ensure, sender=apps.get_app_config("tasks"), dispatch_uid="roles")
