"""What any process needs to start: settings, logging, the Temporal client, the embedded servers."""
