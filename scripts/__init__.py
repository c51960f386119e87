"""What the machine needs around the product: private servers, the demonstration run, set-up."""
