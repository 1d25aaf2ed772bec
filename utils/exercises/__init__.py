"""What `utils.checks.check` needs to know about the exercises, a module for each lesson."""
