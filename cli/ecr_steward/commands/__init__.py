"""One module for each group of commands; what a command needs beyond its options is imported when it runs."""
