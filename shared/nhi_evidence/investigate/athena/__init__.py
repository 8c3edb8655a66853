"""Query the evidence in place with Athena: tables over its objects, and the local views."""
