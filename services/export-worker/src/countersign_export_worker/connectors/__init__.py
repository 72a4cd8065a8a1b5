"""Ways into an ERP. A connector is a small package of its own; see registry."""
