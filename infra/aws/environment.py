"""A function's settings as the variables it will read them from."""

from __future__ import annotations

from nhi_evidence.adapters.environ import variables

__all__ = ["variables"]
