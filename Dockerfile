# syntax=docker/dockerfile:1
# Tandem's image: the worker, the API with its pages, and the migrations, by command.
#   docker build -t tandem .        docker run --rm tandem --help

FROM python:3.13-slim-trixie AS packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/tandem
COPY requirements.lock .
# Only what the lock names, with the hashes that it names, and never built from source here.
RUN /opt/tandem/bin/pip install --require-hashes --only-binary=:all: -r requirements.lock


FROM python:3.13-slim-trixie
ENV PATH=/opt/tandem/bin:$PATH \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    TANDEM_HOST=0.0.0.0 \
    TANDEM_PORT=8000 \
    TANDEM_LOG_FORMAT=json

RUN groupadd --system --gid 10001 tandem \
    && useradd --system --uid 10001 --gid tandem --home-dir /app --shell /usr/sbin/nologin tandem

COPY --from=packages /opt/tandem /opt/tandem
COPY --chmod=755 <<'EOF' /usr/local/bin/tandem
#!/opt/tandem/bin/python
from cli import main

main()
EOF

WORKDIR /app
COPY LICENSE NOTICE pyproject.toml cli.py worker.py ./
COPY activities activities
COPY api api
COPY db db
COPY domain domain
COPY examples examples
COPY migrations migrations
COPY ops ops
COPY runtime runtime
COPY static static
COPY templates templates
COPY workflows workflows
RUN python -m compileall -q /app

USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM

# For the API; the worker's check is in docker-compose.yml.
HEALTHCHECK --interval=15s --timeout=10s --start-period=60s --retries=4 CMD ["tandem", "health", "api"]

ENTRYPOINT ["tandem"]
CMD ["api"]
