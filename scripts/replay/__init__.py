"""`make replay`: a file of real baskets, sold over HTTP from several tills at once."""
