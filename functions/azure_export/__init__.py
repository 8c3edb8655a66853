"""Azure Functions deployable that exports an Event Hub."""
