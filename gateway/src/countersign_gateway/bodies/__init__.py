"""Request bodies: a model per shape, and the message that it becomes.

The rules (lengths, patterns, ranges) are those of the contracts; a test holds both equal. They
stand here as well so that every malformed field is named at once, and in the OpenAPI document.
"""
