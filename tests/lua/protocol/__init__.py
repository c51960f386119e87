"""The reservation protocol as a machine: the real Lua on a real Redis, the product's own decisions, and around them a
PostgreSQL, a queue and processes that die, in Python, so that every step is one act and their order is anybody's.

A process of a pool imports this and nothing before it, so Django is set up here."""

import os

import django
from django.apps import apps

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "blend_pos.settings")
if not apps.ready:
    django.setup()
