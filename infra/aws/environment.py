"""A function's settings as the environment variables it reads them from."""

from __future__ import annotations

from nhi_evidence.adapters.environ import variables

__all__ = ["variables"]
