"""What is done with large states: read by several threads, and spread over several processes."""
