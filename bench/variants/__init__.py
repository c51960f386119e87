"""What is measured beside the product: three ways to sell with PostgreSQL alone."""
