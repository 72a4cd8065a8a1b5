"""Messages of the services as JSON: a TypedDict per shape, and the function that fills it."""
