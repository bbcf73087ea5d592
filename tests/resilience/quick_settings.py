"""The site as it is, with quick checks: what is tested is that nothing is lost, not what the detectors say."""

from deepfake_site.settings.embedded import *  # noqa: F403  (settings are inherited so)
from deepfake_site.settings.embedded import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.resilience.quick_checks.QuickChecksConfig"]
