"""placeholder"""

EXAMPLES = ""


def command() -> None:
    """Demo."""
