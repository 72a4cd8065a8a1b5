"""The two wake-up calls: a message on the broker, or an answer to a long poll."""
