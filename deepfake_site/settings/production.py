"""Scaled out: behind a TLS proxy, PostgreSQL through DATABASE_URL, Redis through REDIS_URL, a key given by the operator."""

from .base import *
from .base import STORAGES, env

SECRET_KEY = env.str("UNMASK_SECRET_KEY")
ALLOWED_HOSTS = env.list("UNMASK_ALLOWED_HOSTS")
DATABASES = {"default": {**env.db_url("DATABASE_URL"), "CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}}
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}}
WHITENOISE_USE_FINDERS = False
EMAIL_CONFIG = env.email_url("UNMASK_EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = env.bool("UNMASK_SSL_REDIRECT", default=True)
SECURE_HSTS_SECONDS = env.int("UNMASK_HSTS_SECONDS", default=31536000)
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
