"""`make bench`: ratios against a baseline in the same run, on the same servers, with one client."""
