"""Settings by `UNMASK_ENV`: `embedded` (one process, nothing else to install) or `production` (scaled out)."""

import os

if os.environ.get("UNMASK_ENV", "embedded") == "production":
    from .production import *
else:
    from .embedded import *
