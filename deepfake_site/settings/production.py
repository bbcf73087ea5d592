"""Scaled out: behind a TLS proxy, PostgreSQL by DATABASE_URL, Redis by REDIS_URL, a key given by the operator."""

from .base import *
from .base import STORAGES, env

SECRET_KEY = env.str("UNMASK_SECRET_KEY")
ALLOWED_HOSTS = env.list("UNMASK_ALLOWED_HOSTS")
DATABASES = {"default": {**env.db_url("DATABASE_URL"), "CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}}
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}}
WHITENOISE_USE_FINDERS = False

# --- Mail -----------------------------------------------------------------------------------------------------------
vars().update(env.email_url("UNMASK_EMAIL_URL", default="consolemail://"))
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.str("UNMASK_FROM_EMAIL", default="unmask@localhost")
ACCOUNT_EMAIL_VERIFICATION = "mandatory"

# --- TLS ------------------------------------------------------------------------------------------------------------
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")  # the proxy must set it itself, whatever a client sends
SECURE_SSL_REDIRECT = env.bool("UNMASK_SSL_REDIRECT", default=True)
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]  # load balancers ask over plain http
SECURE_HSTS_SECONDS = env.int("UNMASK_HSTS_SECONDS", default=31536000)
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("UNMASK_HSTS_SUBDOMAINS", default=False)
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
# W005 and W021 ask for HSTS on every subdomain and for the browsers' preload list. Both reach beyond this site, so
# they are the decision of whoever owns the domain.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
