# Image of audit: what it needs and nothing else, as a user without rights.
#   docker build -f deploy/images/audit.Dockerfile -t countersign/audit .
# In production name the base by digest: --build-arg BASE=python:3.12-slim-bookworm@sha256:…
ARG BASE=python:3.12-slim-bookworm

FROM ${BASE} AS build
WORKDIR /build
COPY requirements/bootstrap.txt requirements/bootstrap.txt
COPY services/audit/requirements.txt services/audit/requirements.txt
# The tools that install stay in this stage, in an environment of their own.
RUN python3 -m venv /tools \
 && /tools/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt \
 && python3 -m venv --without-pip /app \
 && /tools/bin/pip --python /app/bin/python install --no-cache-dir --disable-pip-version-check \
    --require-hashes -r services/audit/requirements.txt
COPY libs/contracts libs/contracts
COPY libs/core libs/core
COPY libs/platform libs/platform
COPY services/audit services/audit
RUN for distribution in libs/contracts libs/core libs/platform services/audit; do \
      /tools/bin/pip --disable-pip-version-check wheel --no-cache-dir --no-deps --no-build-isolation \
        --wheel-dir /wheels "./$distribution" || exit 1; \
    done \
 && /tools/bin/pip --python /app/bin/python install --no-cache-dir --disable-pip-version-check \
    --no-deps --no-index /wheels/*.whl

FROM ${BASE}
COPY --from=build /app /app
ENV PATH=/app/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    COUNTERSIGN_LISTEN=0.0.0.0:50053 \
    COUNTERSIGN_PROBE_LISTEN=0.0.0.0:9100
EXPOSE 50053 9100
USER 65532:65532
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD \
    ["python3", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9100/healthz', timeout=2)"]
ENTRYPOINT ["python3", "-m", "countersign_audit"]
