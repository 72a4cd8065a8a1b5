"""The REST table: each route turns a request into one call and a message into one reply."""
