# Image of the command line: migrations, tokens, operation.
#   docker build -f deploy/images/cli.Dockerfile -t countersign/cli .
ARG BASE=python:3.12-slim-bookworm

FROM ${BASE} AS build
WORKDIR /build
COPY requirements/bootstrap.txt requirements/bootstrap.txt
COPY cli/requirements.txt cli/requirements.txt
RUN python3 -m venv /tools \
 && /tools/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt \
 && python3 -m venv --without-pip /app \
 && /tools/bin/pip --python /app/bin/python install --no-cache-dir --disable-pip-version-check \
    --require-hashes -r cli/requirements.txt
COPY libs libs
COPY services services
COPY gateway gateway
COPY cli cli
RUN for distribution in libs/contracts libs/core libs/platform services/approval services/push \
      services/export-worker services/audit gateway cli; do \
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
    COUNTERSIGN_HOME=/data
USER 65532:65532
ENTRYPOINT ["countersign"]
