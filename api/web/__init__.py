"""The pages: routes that answer HTML, over the same commands and reads as the JSON API."""
