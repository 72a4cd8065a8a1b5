# Image of gateway: what it needs and nothing else, as a user without rights. With the web console.
#   docker build -f deploy/images/gateway.Dockerfile -t countersign/gateway .
# In production name the base by digest: --build-arg BASE=python:3.12-slim-bookworm@sha256:…
# The same goes for NODE, which builds the console and is no part of the image.
ARG BASE=python:3.12-slim-bookworm
ARG NODE=node:22-bookworm-slim

FROM ${NODE} AS console
WORKDIR /build/frontend
COPY frontend/package.json frontend/package-lock.json ./
# The versions and digests of package-lock.json, and nothing that a package would like to run.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY frontend ./
RUN npm run build

FROM ${BASE} AS build
WORKDIR /build
COPY requirements/bootstrap.txt requirements/bootstrap.txt
COPY gateway/requirements.txt gateway/requirements.txt
# The tools that install stay in this stage, in an environment of their own.
RUN python3 -m venv /tools \
 && /tools/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt \
 && python3 -m venv --without-pip /app \
 && /tools/bin/pip --python /app/bin/python install --no-cache-dir --disable-pip-version-check \
    --require-hashes -r gateway/requirements.txt
COPY libs/contracts libs/contracts
COPY libs/core libs/core
COPY libs/platform libs/platform
COPY gateway gateway
RUN for distribution in libs/contracts libs/core libs/platform gateway; do \
      /tools/bin/pip --disable-pip-version-check wheel --no-cache-dir --no-deps --no-build-isolation \
        --wheel-dir /wheels "./$distribution" || exit 1; \
    done \
 && /tools/bin/pip --python /app/bin/python install --no-cache-dir --disable-pip-version-check \
    --no-deps --no-index /wheels/*.whl

FROM ${BASE}
COPY --from=build /app /app
COPY --from=console /build/frontend/dist /console
ENV PATH=/app/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    COUNTERSIGN_CONSOLE_FOLDER=/console \
    COUNTERSIGN_LISTEN=0.0.0.0:8080 \
    COUNTERSIGN_PROBE_LISTEN=0.0.0.0:9100
EXPOSE 8080 9100
USER 65532:65532
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD \
    ["python3", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9100/healthz', timeout=2)"]
ENTRYPOINT ["python3", "-m", "countersign_gateway"]
