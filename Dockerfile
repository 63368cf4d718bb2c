# One image for every process; the command chooses: api, worker, signer or migrate. Configuration: see compose.yaml.

FROM python:3.11-slim-bookworm AS build
# Where fastecdsa has no wheel (ARM) it is compiled.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends gcc libc6-dev libgmp-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build
RUN python -m venv /opt/rampwright
COPY requirements.lock ./
RUN /opt/rampwright/bin/python -m pip install --no-cache-dir --require-hashes --requirement requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY app ./app
COPY providers ./providers
COPY webhooks ./webhooks
RUN /opt/rampwright/bin/python -m pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.11-slim-bookworm
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libgmp10 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin rampwright \
    && useradd --uid 10002 --gid rampwright --no-create-home --shell /usr/sbin/nologin rampwright-signer \
    && install --directory --owner=rampwright --group=rampwright --mode=0700 /var/lib/rampwright \
    && install --directory --owner=rampwright-signer --group=rampwright --mode=0700 /var/lib/rampwright-signer \
    && install --directory --owner=rampwright-signer --group=rampwright --mode=0750 /run/rampwright
COPY --from=build /opt/rampwright /opt/rampwright
ENV PATH=/opt/rampwright/bin:$PATH \
    HOME=/var/lib/rampwright \
    PYTHONUNBUFFERED=1 \
    RAMPWRIGHT_HOME=/var/lib/rampwright \
    RAMPWRIGHT_HOST=0.0.0.0 \
    RAMPWRIGHT_PORT=8000 \
    RAMPWRIGHT_OPERATOR_HOST=0.0.0.0 \
    RAMPWRIGHT_OPERATOR_PORT=9000
WORKDIR /var/lib/rampwright
USER 10001:10001
EXPOSE 8000
ENTRYPOINT ["rampwright"]
CMD ["api"]
