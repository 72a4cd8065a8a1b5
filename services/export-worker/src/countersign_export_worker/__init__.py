"""Delivers exports to the ERP, exactly once. Owns no table."""
