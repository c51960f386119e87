"""What is asked of the product's own code, each in a process of its own: `python -m bench.probes.…` on a bench's
servers."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "blend_pos.settings")
django.setup()
