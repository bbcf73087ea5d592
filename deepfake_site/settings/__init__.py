"""Settings by `UNMASK_ENV`: `embedded` (one process, nothing else to install) or `production` (scaled out)."""

import os

# Whoever names a module of this package (the suite names `testing`) gets that one alone: read here first, the default
# settings would already have settled on the data directory of the checkout.
if os.environ.get("DJANGO_SETTINGS_MODULE", __name__) != __name__:
    pass
elif os.environ.get("UNMASK_ENV", "embedded") == "production":
    from .production import *
else:
    from .embedded import *
