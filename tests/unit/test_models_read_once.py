"""Reading botocore's models once per process still gives every session its own model."""

from __future__ import annotations

import botocore.session
from moto.core.loaders import create_loader


def test_another_loader_s_additions_stay_in_its_own_copy() -> None:
    """The emulator's loader merges operations into S3's model; the SDK's does not have them."""
    extended = create_loader().load_service_model("s3", "service-2")["operations"]
    session = botocore.session.Session()
    assert {"PostObject"} <= set(extended) - set(session.get_service_model("s3").operation_names)
