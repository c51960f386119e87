"""What an attacker would try over HTTP, and what docs/security.md promises."""
