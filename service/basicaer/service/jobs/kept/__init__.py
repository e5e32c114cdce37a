"""What the store keeps: jobs in pages, results in chunks, and their removal when their time has come.

Only the manager calls it.
"""
