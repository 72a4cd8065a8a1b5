"""Draft orders: intake, edit, ready check, approve, revoke, reject."""
