"""What every environment shares. Whatever an operator may change is read from the environment (docs/settings.md)."""

from pathlib import Path

import environ

from .secret import secret_key_from

env = environ.Env()

BASE_DIR = Path(__file__).resolve().parent.parent.parent
DATA_DIR = Path(env.str("UNMASK_DATA_DIR", default=str(BASE_DIR / "var"))).resolve()
DATA_DIR.mkdir(parents=True, exist_ok=True)

SITE_NAME = "Unmask"
# Who answers for this site: named on /imprint/, and in what people are told about their data.
OPERATOR = env.str("UNMASK_OPERATOR", default="")
CONTACT = env.str("UNMASK_CONTACT", default="")  # an e-mail address or the address of a page
SECRET_KEY = env.str("UNMASK_SECRET_KEY", default="") or secret_key_from(DATA_DIR / "secret_key")
DEBUG = False
ALLOWED_HOSTS = env.list("UNMASK_ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("UNMASK_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "daphne",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "csp",
    "ninja",
    "deepfake_site",
    "jobs",
    "detection",
    "generation",
    "enhancement",
]

MIDDLEWARE = [
    "deepfake_site.metrics.MetricsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "deepfake_site.middleware.BodyLimitMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "deepfake_site.account.sessions.SessionSeenMiddleware",
    "deepfake_site.middleware.StaffSecondFactorMiddleware",
]

ROOT_URLCONF = "deepfake_site.urls"
ASGI_APPLICATION = "deepfake_site.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "deepfake_site.context_processors.site",
            ]
        },
    }
]

# --- Database -------------------------------------------------------------------------------------------------------
DATABASES = {"default": env.db_url("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'db.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # WAL lets readers go on beside the one writer; IMMEDIATE takes the write lock at BEGIN, so that two writers
    # wait for each other instead of failing half-way with "database is locked".
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 30,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=30000;",
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Channels -------------------------------------------------------------------------------------------------------
REDIS_URL = env.str("REDIS_URL", default="")


def _layer(prefix: str) -> dict[str, object]:
    if not REDIS_URL:
        return {"BACKEND": "channels.layers.InMemoryChannelLayer", "CONFIG": {"capacity": 1000}}
    return {
        # Never the pub/sub layer: it delivers one nudge to every worker.
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        "CONFIG": {"hosts": [{"address": REDIS_URL, "socket_timeout": None}], "prefix": prefix, "capacity": 1000},
    }


CHANNEL_LAYERS = {"default": _layer("unmask"), "jobs": _layer("unmask-jobs")}

# --- Cache ----------------------------------------------------------------------------------------------------------
# Holds limits on attempts to sign in and one-time codes that were used, so all web processes must share it.
CACHES: dict[str, dict[str, object]] = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL, "KEY_PREFIX": "unmask"}
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}

# --- Files ----------------------------------------------------------------------------------------------------------
MEDIA_ROOT = DATA_DIR / "files"  # outside the web root; served only through jobs.views
STATIC_URL = "static/"
STATIC_ROOT: Path | None = Path(env.str("UNMASK_STATIC_DIR", default=str(BASE_DIR / "staticfiles")))
EVALUATION_DIR = BASE_DIR / "docs" / "evaluation"  # written by `python -m ml evaluate detectors`
STATICFILES_DIRS: list[object] = [BASE_DIR / "static"]
if EVALUATION_DIR.is_dir():
    STATICFILES_DIRS.append(("evaluation", EVALUATION_DIR))
WHITENOISE_USE_FINDERS = True
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024

# --- Jobs (read by jobs/ only) --------------------------------------------------------------------------------------
JOBS_LEASE_SECONDS = env.float("JOBS_LEASE_SECONDS", default=60.0)  # silent for so long: job lost
JOBS_HEARTBEAT_SECONDS = env.float("JOBS_HEARTBEAT_SECONDS", default=15.0)
JOBS_SWEEP_SECONDS = env.float("JOBS_SWEEP_SECONDS", default=30.0)
JOBS_POLL_SECONDS = env.float("JOBS_POLL_SECONDS", default=2.0)  # look at the table even when no nudge came
JOBS_WATCH_SECONDS = env.float("JOBS_WATCH_SECONDS", default=1.0)  # is a running job still wanted, still ours?
JOBS_STALL_SECONDS = env.float("JOBS_STALL_SECONDS", default=120.0)  # no progress for so long means hung
JOBS_CANCEL_GRACE_SECONDS = env.float("JOBS_CANCEL_GRACE_SECONDS", default=3.0)
JOBS_DRAIN_SECONDS = env.float("JOBS_DRAIN_SECONDS", default=3.0)  # what runs at SIGTERM may take so long to finish
JOBS_RETRY_DELAY_SECONDS = env.float("JOBS_RETRY_DELAY_SECONDS", default=1.0)  # doubled for each attempt
JOBS_CHILDREN = env.int("JOBS_CHILDREN", default=1)  # inference processes of one worker
JOBS_LONG_CHILDREN = env.int("JOBS_LONG_CHILDREN", default=1)  # further ones, for work of minutes
JOBS_LONG_IDLE_SECONDS = env.float("JOBS_LONG_IDLE_SECONDS", default=300.0)
JOBS_CHILD_START_SECONDS = env.float("JOBS_CHILD_START_SECONDS", default=240.0)
JOBS_CHILD_MEMORY_MB = env.int("JOBS_CHILD_MEMORY_MB", default=6000)
JOBS_CHILD_MAX_JOBS = env.int("JOBS_CHILD_MAX_JOBS", default=2000)  # then a fresh child, against slow leaks
JOBS_CHILD_NICE = env.int("JOBS_CHILD_NICE", default=5)  # pages come before inference where they share processors
JOBS_ACTIVE_VISITOR = env.int("JOBS_ACTIVE_VISITOR", default=1)  # running side by side
JOBS_ACTIVE_MEMBER = env.int("JOBS_ACTIVE_MEMBER", default=3)
JOBS_WAITING_VISITOR = env.int("JOBS_WAITING_VISITOR", default=12)
JOBS_WAITING_MEMBER = env.int("JOBS_WAITING_MEMBER", default=40)
JOBS_PER_ADDRESS = env.int("JOBS_PER_ADDRESS", default=60)  # waiting, of all visitors behind one address
JOBS_GLOBAL_CAP = env.int("JOBS_GLOBAL_CAP", default=150)  # unfinished, of everybody
JOBS_TRUSTED_PROXIES = env.int("JOBS_TRUSTED_PROXIES", default=0)  # own proxies in front, for the person's address
JOBS_KEEP_VISITOR_HOURS = env.int("JOBS_KEEP_VISITOR_HOURS", default=24)
JOBS_KEEP_MEMBER_HOURS = env.int("JOBS_KEEP_MEMBER_HOURS", default=30 * 24)
JOBS_PURGE_SECONDS = env.float("JOBS_PURGE_SECONDS", default=600.0)
JOBS_ORPHAN_GRACE_MINUTES = env.int("JOBS_ORPHAN_GRACE_MINUTES", default=60)
JOBS_PICTURE_BYTES = env.int("JOBS_PICTURE_BYTES", default=15 * 1024 * 1024)
JOBS_PICTURE_PIXELS = env.int("JOBS_PICTURE_PIXELS", default=40_000_000)
JOBS_VIDEO_BYTES = env.int("JOBS_VIDEO_BYTES", default=100 * 1024 * 1024)
JOBS_VIDEO_SECONDS = env.float("JOBS_VIDEO_SECONDS", default=60.0)
JOBS_VIDEO_PIXELS = env.int("JOBS_VIDEO_PIXELS", default=1920 * 1080)
JOBS_VIDEO_FRAMES = env.int("JOBS_VIDEO_FRAMES", default=7200)
JOBS_WORKER_KINDS = env.list("JOBS_WORKER_KINDS", default=[])  # kinds that workers here take; none named: all
JOBS_EXTRA_KINDS = env.list("JOBS_EXTRA_KINDS", default=[])  # dotted names of further JobKinds (tests use it)
JOBS_WORK_DIR = DATA_DIR / "work"  # one directory a job while it runs

# --- Accounts -------------------------------------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_REDIRECT_URL = "detection:check"
LOGOUT_REDIRECT_URL = "detection:check"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "optional"
ACCOUNT_LOGOUT_ON_GET = False
ALLAUTH_TRUSTED_PROXY_COUNT = JOBS_TRUSTED_PROXIES  # its limits on sign-in attempts count by the same address
USERSESSIONS_TRACK_ACTIVITY = True  # noted by SessionSeenMiddleware, not at every request
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
STAFF_SECOND_FACTOR_REQUIRED = env.bool("UNMASK_STAFF_SECOND_FACTOR", default=True)

# --- Checks ---------------------------------------------------------------------------------------------------------
DETECTION_FILES_AT_ONCE = env.int("UNMASK_FILES_AT_ONCE", default=10)
DETECTION_SHARE_DAYS = env.int("UNMASK_SHARE_DAYS", default=7)
DETECTION_VIDEO_SAMPLES = env.int("UNMASK_VIDEO_SAMPLES", default=40)  # frames of a video that are looked at
DETECTION_VIDEO_PEOPLE = env.int("UNMASK_VIDEO_PEOPLE", default=5)  # people of a video that are judged

# --- The review desk ------------------------------------------------------------------------------------------------
DETECTION_AUTOMATIC_FLAGS = env.list(  # what the site lays on the desk by itself, beside what people report
    "UNMASK_AUTOMATIC_FLAGS",
    default=["own_output", "repeated", "detectors_disagree", "inconclusive", "near_threshold"],
)
DETECTION_FLAGGED_DAYS = env.int("UNMASK_FLAGGED_DAYS", default=30)  # then gone unseen, unless reported; 0: never
DETECTION_REPEAT_DAYS = env.int("UNMASK_REPEAT_DAYS", default=7)
DETECTION_REPEAT_OWNERS = env.int("UNMASK_REPEAT_OWNERS", default=3)
DETECTION_REVIEWERS = env.int("UNMASK_REVIEWERS", default=1)  # people who must say the same
DETECTION_CLAIM_MINUTES = env.int("UNMASK_REVIEW_CLAIM_MINUTES", default=10)
DETECTION_UNDO_MINUTES = env.int("UNMASK_REVIEW_UNDO_MINUTES", default=5)

# --- Creations ------------------------------------------------------------------------------------------------------
GENERATION_DAILY_QUOTA = env.int("UNMASK_CREATIONS_A_DAY", default=20)  # of one member
GENERATION_SHARE_DAYS = DETECTION_SHARE_DAYS
GENERATION_PEOPLE = Path(env.str("UNMASK_PEOPLE", default=str(BASE_DIR / "ml" / "weights" / "people" / "catalog.json")))
GENERATION_LEARN_MINUTES = env.float("UNMASK_LEARN_MINUTES", default=6.0)  # most that one face is learned for
GENERATION_LEARN_STEPS = env.int("UNMASK_LEARN_STEPS", default=1500)
GENERATION_AUTHORITY_DIR = Path(env.str("UNMASK_AUTHORITY_DIR", default=str(DATA_DIR / "authority")))

# --- Enhancements ---------------------------------------------------------------------------------------------------
ENHANCEMENT_CATALOGUE = BASE_DIR / "ml" / "restore" / "catalogue.json"  # written by `python -m ml.restore.catalogue`
ENHANCEMENT_MEGAPIXELS = env.int("UNMASK_ENHANCE_MEGAPIXELS", default=64)  # of all results of one job together
ENHANCEMENT_MINUTES = env.int("UNMASK_ENHANCE_MINUTES", default=30)  # that one job may take, by its estimate
ENHANCEMENT_NETWORKS_DIR = Path(env.str("UNMASK_NETWORKS_DIR", default=str(DATA_DIR / "networks")))

# --- Language and time ----------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
# Each in its own words, for whoever looks for theirs. A test keeps all of them complete (`manage.py catalogs`).
TRANSLATIONS = {"en": "English", "de": "Deutsch", "es": "Español", "zh-hans": "简体中文"}
LANGUAGES = [(code, TRANSLATIONS[code]) for code in env.list("UNMASK_LANGUAGES", default=list(TRANSLATIONS))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = env.str("UNMASK_TIME_ZONE", default="UTC")
USE_I18N = True
USE_TZ = True

# --- Security -------------------------------------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "blob:", "data:"],
        "media-src": ["'self'", "blob:"],
        "connect-src": ["'self'"],
        "style-src": ["'self'"],
        "script-src": ["'self'"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "form-action": ["'self'"],
    }
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"

# --- Watching -------------------------------------------------------------------------------------------------------
METRICS_TOKEN = env.str("UNMASK_METRICS_TOKEN", default="")  # lets a scraper read /metrics; staff may without it

# --- Logging --------------------------------------------------------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("UNMASK_LOG_LEVEL", default="INFO")},
}
