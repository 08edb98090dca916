# saleor-kustom in a container: no root, no writable file system but /data, no shell tools needed.
# `docker build -t saleor-kustom .`; how to run it: docs/deploy-many.md and compose.yaml.
ARG BASE=python:3.11.14-slim-bookworm

FROM ${BASE} AS build
WORKDIR /src
# What is installed is what was tested: every file is checked against its hash.
COPY requirements.lock requirements-dev.lock ./
RUN python -m venv --without-pip /opt/app \
 && pip --python /opt/app/bin/python install --no-cache-dir --no-compile \
        --require-hashes --no-deps -r requirements.lock
# The build backend is only needed here.
RUN python -m venv /opt/build \
 && /opt/build/bin/pip install --no-cache-dir --require-hashes -r requirements-dev.lock
COPY pyproject.toml README.md LICENSE manifest.json ./
COPY webhooks ./webhooks
COPY saleor_kustom ./saleor_kustom
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheel . \
 && pip --python /opt/app/bin/python install --no-cache-dir --no-compile --no-deps --no-index \
        /wheel/*.whl \
 && /opt/app/bin/python -m compileall -q /opt/app

FROM ${BASE}
RUN useradd --system --uid 10001 --user-group --no-create-home --home-dir /data app \
 && install -d -o app -g app -m 0700 /data
COPY --from=build /opt/app /opt/app
# Metrics and health: on the container's own network alone, since nothing publishes that port.
ENV PATH=/opt/app/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    SALEOR_KUSTOM_DATABASE_URL=sqlite:////data/app.db \
    SALEOR_KUSTOM_LOG_FORMAT=json \
    SALEOR_KUSTOM_METRICS_ADDRESS=0.0.0.0:9464
USER 10001:10001
WORKDIR /data
VOLUME ["/data"]
EXPOSE 8080
STOPSIGNAL SIGTERM
# `serve` and `work` alike; the slim image has no curl, and needs none.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-I", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9464/health/ready', timeout=4)"]
ENTRYPOINT ["saleor-kustom"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8080"]
