# One image for web, worker, maintenance and beat: docker-compose.yml says which command it runs as.

FROM python:3.11-slim-bookworm AS packages
RUN python -m venv /opt/venv
COPY requirements.txt ./
# Wheels alone, so that there is nothing to compile and no build tool that the lock does not name.
RUN /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check --only-binary=:all: --require-hashes \
    -r requirements.txt

FROM python:3.11-slim-bookworm AS application
ENV PATH=/opt/venv/bin:$PATH
WORKDIR /app
COPY --from=packages /opt/venv /opt/venv
COPY manage.py celery_app.py ./
COPY blend_pos blend_pos
COPY cache_stock cache_stock
COPY inventario inventario
COPY ventas ventas
COPY locale locale
COPY scripts/__init__.py scripts/health.py scripts/
# The settings are read, and none of these servers is asked. Whoever copied the folder, everybody may read the result.
RUN SECRET_KEY=none DATABASE_URL=postgres://none@127.0.0.1:9/none REDIS_URL=redis://127.0.0.1:9/0 \
    RABBITMQ_URL=amqp://127.0.0.1:9// python manage.py collectstatic --no-input --verbosity=0 \
    && python -m compileall -q . \
    && chmod -R a+rX .

FROM python:3.11-slim-bookworm
ENV PATH=/opt/venv/bin:$PATH HOME=/tmp PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
COPY --from=packages /opt/venv /opt/venv
# Root's, and read only to who runs it.
COPY --from=application /app /app
WORKDIR /app
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
CMD ["python", "-m", "granian", "--log-config=/app/blend_pos/granian_logs.json", "--host=0.0.0.0", "--port=8000", \
     "--workers=2", "--blocking-threads=32", "--backpressure=512", "--http=1", "--http1-buffer-size=65536", \
     "--http1-header-read-timeout=10000", "--interface=wsgi", "--no-ws", "--workers-kill-timeout=5", \
     "blend_pos.wsgi:application"]
