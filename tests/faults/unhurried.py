"""A pytest plugin for runs in processes of their own: botocore does not wait between its attempts."""

from __future__ import annotations

from types import SimpleNamespace

import botocore.endpoint

botocore.endpoint.time = SimpleNamespace(sleep=lambda _seconds: None)
