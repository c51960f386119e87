"""Settings, all read from the environment; `.env` in the project's root fills in what the environment does not name."""

from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import environ
from django.utils.translation import gettext_lazy as _
from redis.backoff import NoBackoff
from redis.retry import Retry

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")

SECRET_KEY = env.str("SECRET_KEY")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
DEBUG = env.bool("DEBUG", default=False)
DEFAULT_EXCEPTION_REPORTER_FILTER = "blend_pos.covering.CoveringFilter"
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
HTTPS = env.bool("HTTPS", default=False)
# A proxy in front says who asks and how, in X-Forwarded-For and -Proto; without one anybody could.
BEHIND_PROXY = env.bool("BEHIND_PROXY", default=False)

INSTALLED_APPS = [
    "blend_pos.tiendas.admin_config.BlendAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "knox",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_celery_beat",
    "django_prometheus",
    "blend_pos.tiendas.admin_config.AttemptsConfig",
    "csp",
    "blend_pos.tiendas",
    "inventario",
    "cache_stock",
    "ventas",
]

MIDDLEWARE = [
    "blend_pos.request_log.request_line",
    "django.middleware.security.SecurityMiddleware",
    "blend_pos.policy.CSPMiddleware",  # these two before the static files: a page may lie among them
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "blend_pos.no_store.no_store",
    "blend_pos.addresses.refuse_null",
    "blend_pos.pages.SessionMiddleware",
    "blend_pos.languages.LocaleMiddleware",
    "blend_pos.pages.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "blend_pos.pages.AuthenticationMiddleware",
    "blend_pos.pages.MessageMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "blend_pos.urls"
WSGI_APPLICATION = "blend_pos.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- PostgreSQL: the truth. A frozen client's rows come free by the two timeouts. A pooler that lends a session for one
# transaction takes no such options (its own configuration has them), and forgets a cursor that outlives it.
DATABASE_POOLED = env.bool("DATABASE_POOLED", default=False)
_TIMEOUTS = "-c idle_in_transaction_session_timeout=10000 -c lock_timeout=15000"
DATABASES = {
    "default": {
        **env.db_url("DATABASE_URL"),
        "ENGINE": "django_prometheus.db.backends.postgresql",
        "CONN_MAX_AGE": env.int("DATABASE_CONN_MAX_AGE_S", default=600),
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "connect_timeout": 2,
            "tcp_user_timeout": 10_000,
            "keepalives_idle": 10,
            "keepalives_interval": 3,
            "keepalives_count": 3,
            **({} if DATABASE_POOLED else {"options": _TIMEOUTS}),
        },
        "DISABLE_SERVER_SIDE_CURSORS": DATABASE_POOLED,
    },
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Redis. `stock` may be a server of its own; no command to it is ever repeated by the client:
# the protocol decides what a lost reply means. Connect + reply stay well inside the checkout's deadline.
REDIS_URL = env.str("REDIS_URL")
# rediscluster://host:port,host:port is a cluster, of the stock alone: who may come in is kept by one server.
_ON_A_CLUSTER = urlsplit(REDIS_URL).scheme.startswith("rediscluster")
CACHE_URL = env.str(
    "CACHE_URL", default=env.NOTSET if _ON_A_CLUSTER else urlsplit(REDIS_URL)._replace(path="/1").geturl()
)
REDIS_CONNECT_TIMEOUT_S = 0.25
REDIS_REPLY_TIMEOUT_S = 0.4
_REDIS_OPTIONS = {
    "CLIENT_CLASS": "django_redis.client.DefaultClient",
    "REDIS_CLIENT_CLASS": "blend_pos.redis_client.OnceClient",
    "CONNECTION_POOL_CLASS": "blend_pos.redis_client.PlainPool",
    "SOCKET_CONNECT_TIMEOUT": REDIS_CONNECT_TIMEOUT_S,
    "SOCKET_TIMEOUT": REDIS_REPLY_TIMEOUT_S,
}
CACHES = {
    "default": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": CACHE_URL,
        "OPTIONS": {
            **_REDIS_OPTIONS,
            "SERIALIZER": "django_redis.serializers.json.JSONSerializer",
            "CONNECTION_POOL_KWARGS": {"retry": Retry(NoBackoff(), 0), "protocol": 2},
        },
    },
    "stock": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": [REDIS_URL],
        "OPTIONS": {
            **_REDIS_OPTIONS,
            "CONNECTION_POOL_KWARGS": {"retry": Retry(NoBackoff(), 0), "decode_responses": True, "protocol": 2},
            "CONNECTION_FACTORY": (
                "cache_stock.cluster.ClusterConnectionFactory"
                if _ON_A_CLUSTER
                else "cache_stock.connection.StockConnectionFactory"
            ),
        },
    },
}
SESSION_ENGINE = "blend_pos.tiendas.sessions"

# --- RabbitMQ; the nodes of a cluster are parted by ';', and the next one is tried where one does not answer
RABBITMQ_URL = env.str("RABBITMQ_URL")
RABBITMQ_MANAGEMENT_URL = env.str(
    "RABBITMQ_MANAGEMENT_URL",
    default=";".join(
        f"http://{node.username or 'guest'}:{node.password or 'guest'}@{node.hostname}:15672"
        for node in map(urlsplit, RABBITMQ_URL.split(";"))
    ),
)
# Off where this process' user may not: `manage.py broker_setup` has declared everything before.
RABBITMQ_DECLARES = env.bool("RABBITMQ_DECLARES", default=True)
MAINTENANCE_QUEUE_TYPE = env.str("MAINTENANCE_QUEUE_TYPE", default="classic")
SALES_QUEUE_MAX_LENGTH = env.int("SALES_QUEUE_MAX_LENGTH", default=10_000)
SALES_QUEUE_DELIVERY_LIMIT = env.int("SALES_QUEUE_DELIVERY_LIMIT", default=50)
FAILED_QUEUE_TTL_MS = env.int("FAILED_QUEUE_TTL_MS", default=86_400_000)

# --- Celery: acks late, never acks what failed, waits for its broker for ever.
CELERY_BROKER_URL = RABBITMQ_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_CHANNEL_ERROR_RETRY = True
CELERY_BROKER_HEARTBEAT = 10
# A read is of an answer that is waited for, a confirm's as well: what a worker takes it hears of without one.
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {"confirm_publish": True, "read_timeout": 10, "write_timeout": 10}
    if RABBITMQ_URL.startswith("amqp")
    else {"visibility_timeout": 3600}
)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_ACKS_ON_FAILURE_OR_TIMEOUT = False
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_ROUTES = {
    "ventas.persist_sales": {"queue": "queue.sales.created"},
    # By its exchange: Celery would use the default one, and who may write to that reaches every queue by name.
    "*": {"queue": "queue.maintenance", "exchange": "blend_maintenance", "routing_key": "maintenance"},
}
CELERY_TASK_CREATE_MISSING_QUEUES = False
CELERY_WORKER_CONSUMER = "ventas.consumer:RejectingConsumer"
CELERY_WORKER_PREFETCH_MULTIPLIER = 32  # what waits at a worker is persisted together
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_TIMEZONE = "UTC"

# --- The sale
CHECKOUT_DEADLINE_MS = 2_000
PUBLISH_BATCH_MAX_SALES = 100
PUBLISH_QUEUE_MAX_SALES = 1_000
SALE_MAX_LINES = 200
SALE_ATTEMPTS = 3
HOLDS_MAX_PER_TIENDA = env.int("HOLDS_MAX_PER_TIENDA", default=20_000)
HOLDS_MAX_PER_SERVER = env.int("HOLDS_MAX_PER_SERVER", default=100_000)
ANSWER_TTL_S = 48 * 3600
SWEEP_AFTER_MS = env.int("SWEEP_AFTER_MS", default=10_000)
SWEEP_BACKOFF_MAX_MS = env.int("SWEEP_BACKOFF_MAX_MS", default=300_000)
# RabbitMQ counts a quorum queue's messages each tick, 5 s. A drain takes at least as long as this, and
# cluster-node-timeout reckons with it: docs/scaling.md.
STATISTICS_INTERVAL_MS = env.int("STATISTICS_INTERVAL_MS", default=12_000)
PAUSE_WITHOUT_POSTGRESQL_MAX_S = 1_500

# --- Who may come in
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
KNOX_TOKEN_MODEL = "tiendas.TokenTerminal"
REST_KNOX = {
    "TOKEN_MODEL": KNOX_TOKEN_MODEL,
    "TOKEN_TTL": timedelta(days=365),
    "TOKEN_PREFIX": "blend_",
    "AUTH_HEADER_PREFIX": "Bearer",
    # 256 random bits need no slow hash; the digest names the access in Redis, too.
    "SECURE_HASH_ALGORITHM": "hashlib.sha256",
}
LOGIN_URL = "cuenta-login"
LOGIN_REDIRECT_URL = "cuenta"
LOGOUT_REDIRECT_URL = "cuenta-login"
AXES_LOCKOUT_PARAMETERS = ["username"]  # which limited_name() joins with the tienda
AXES_USERNAME_CALLABLE = "blend_pos.tiendas.sign_in.limited_name"
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # so that Retry-After is right
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_TEMPLATE = "cuenta/bloqueada.html"
SILENCED_SYSTEM_CHECKS = [
    "axes.W006",  # a till is shared: a person is locked out by name, not everybody behind one address
    "security.W021",  # browsers preload whole domains: that is the owner's of the domain to ask for
]
# Tokens that open nothing, a minute: of one client address, or of one token that once was ours (docs/adr/0026)
TOKEN_GUESSES_MAX = env.int("TOKEN_GUESSES_MAX", default=20)
TOKEN_GUESSES_WINDOW_S = 60

# --- The API
API_BODY_MAX_BYTES = 256 * 1024
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "blend_pos.tiendas.authentication.TokenAccess",
        "blend_pos.tiendas.authentication.SessionAccess",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["blend_pos.tiendas.permissions.CajeroOrAbove"],
    "DEFAULT_RENDERER_CLASSES": ["blend_pos.json_io.OrjsonRenderer"],
    "DEFAULT_PARSER_CLASSES": ["blend_pos.json_io.OrjsonParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "blend_pos.json_io.JsonNegotiation",
    "DEFAULT_METADATA_CLASS": None,  # no OPTIONS: /api/v1/schema describes the API, and no other site may call it
    "DEFAULT_SCHEMA_CLASS": "blend_pos.openapi.ApiSchema",
    "EXCEPTION_HANDLER": "blend_pos.errors.answer_api_error",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "URL_FORMAT_OVERRIDE": None,
    "FORMAT_SUFFIX_KWARG": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "TEST_REQUEST_RENDERER_CLASSES": ["blend_pos.json_io.OrjsonRenderer"],
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Blend POS",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "persistAuthorization": False, "validatorUrl": None},
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
}

# --- Logs: JSON lines for machines, or text for people
LOGGING_CONFIG = "blend_pos.logs.configure"
LOGGING = {
    "format": env.str("LOG_FORMAT", default="json"),
    "stream": env.str("LOG_STREAM", default="stdout"),
    "level": env.str("LOG_LEVEL", default="INFO").upper(),
    "tasks": env.str("LOG_TASKS", default="yes"),
}

# --- Metrics: PROMETHEUS_MULTIPROC_DIR, an empty folder at start, joins those of all processes of a machine
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
METRICS_LISTEN = env.str("METRICS_LISTEN", default="")  # host:port where a worker shows what its processes counted

# --- Traces: off while no collector is named; OpenTelemetry reads its own other variables from the environment
OTEL_EXPORTER_OTLP_ENDPOINT = env.str("OTEL_EXPORTER_OTLP_ENDPOINT", default="")
OTEL_SERVICE_NAME = env.str("OTEL_SERVICE_NAME", default="blend-pos")

# --- The go-live check: where web is, and how many workers a shop runs at least
WEB_URL = env.str("WEB_URL", default="http://127.0.0.1:8000")
SALES_WORKERS_MIN = env.int("SALES_WORKERS_MIN", default=3)

# --- Language and time: what a cashier or a manager reads is Spanish first, English beside it.
LANGUAGE_CODE = "es"
LANGUAGES = [("es", _("español")), ("en", _("inglés"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = "blend_pos.formats"
TIME_ZONE = env.str("TIME_ZONE", default="America/Mexico_City")
USE_TZ = True

# --- Static files
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
WHITENOISE_IMMUTABLE_FILE_TEST = r"^/static/till/assets/"  # each carries its content's hash in its name

# --- Bodies: what no page and no endpoint needs is not read at all
DATA_UPLOAD_MAX_MEMORY_SIZE = API_BODY_MAX_BYTES
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1_000
FILE_UPLOAD_HANDLERS = ["blend_pos.uploads.RefuseFiles"]

# --- Cookies. Under HTTPS the session's has a name that a browser takes from this very host alone.
SESSION_COOKIE_NAME = "__Host-sessionid" if HTTPS else "sessionid"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Strict"
CSRF_FAILURE_VIEW = "blend_pos.errors.csrf_failure"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS

# --- Security headers
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^metrics$"]  # Prometheus asks beside the proxy, with METRICS_TOKEN
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
    },
}
