"""What `utils.timing` stands on: stopwatch, agreement, results, counts, memory, roofline."""
