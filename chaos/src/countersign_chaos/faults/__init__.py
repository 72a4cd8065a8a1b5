"""What goes wrong, when, and how long it takes to heal; all of it from one seed."""
