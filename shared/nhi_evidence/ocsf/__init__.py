"""An event as an OCSF record with the nhi extension."""
