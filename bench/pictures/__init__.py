"""What the dashboard shows during a run, drawn from a real Prometheus' answers."""
