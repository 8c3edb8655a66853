"""Shared by the Azure packs: texts, claims, principals, apps, files, Event Hub runs."""
