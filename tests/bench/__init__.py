"""The bench: its statistics, its baskets, its loads, and each of its ways to sell on real servers."""
