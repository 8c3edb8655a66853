"""What several Azure packs share: texts, claims, principals, apps, files, Event Hub runs."""
