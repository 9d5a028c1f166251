"""The HTTP side: JSON under `v1/`, pages under `web/`, both over the same principals and problems."""
