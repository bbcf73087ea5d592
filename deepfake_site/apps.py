from django.apps import AppConfig


class DeepfakeSiteConfig(AppConfig):
    name = "deepfake_site"

    def ready(self) -> None:
        from allauth.account.decorators import secure_admin_login
        from django.contrib import admin

        from . import accounts, checks  # noqa: F401 - connects the receivers, registers the checks

        # One way in: allauth's, with its throttling and second factor, for the desk too.
        admin.site.login = secure_admin_login(admin.site.login)
