from django.apps import AppConfig


class DeepfakeSiteConfig(AppConfig):
    name = "deepfake_site"

    def ready(self) -> None:
        from allauth.account.decorators import secure_admin_login
        from django.contrib import admin
        from django.db.models.signals import post_migrate

        from . import accounts, checks, roles  # noqa: F401 - connects the receivers, registers the checks
        from .account import sessions  # noqa: F401 - likewise

        post_migrate.connect(roles.grant_administrators, dispatch_uid="roles.grant_administrators")

        # One way in: allauth's, with its throttling and second factor, for the desk too.
        admin.site.login = secure_admin_login(admin.site.login)
