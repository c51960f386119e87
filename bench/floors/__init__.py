"""What the machine can do with nothing around it: a bare WSGI function and a bare worker. Each is a process of its own,
so Django is set up here, before either imports what needs it."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "blend_pos.settings")
django.setup()
