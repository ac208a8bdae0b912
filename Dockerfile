# The image of the tool; its default command is the board. Two builds of one commit share every layer.
# A company's network may need its own CA bundle and package index: they come as BuildKit secrets (`ca`, a file; `pip`, a
# pip.conf; `index`, an address), each optional, because a build argument would stay in the image's history.
FROM python:3.13-slim AS dependencies
WORKDIR /locks
COPY requirements/action.txt requirements/board.txt ./
RUN --mount=type=secret,id=ca --mount=type=secret,id=pip --mount=type=secret,id=index \
    if [ -s /run/secrets/ca ]; then export PIP_CERT=/run/secrets/ca; fi && \
    if [ -s /run/secrets/pip ]; then export PIP_CONFIG_FILE=/run/secrets/pip; fi && \
    if [ -s /run/secrets/index ]; then PIP_INDEX_URL="$(cat /run/secrets/index)" && export PIP_INDEX_URL; fi && \
    python3 -m venv --without-pip /opt/venv && \
    python3 -m pip --python /opt/venv/bin/python3 --no-cache-dir --disable-pip-version-check \
        install --require-hashes --only-binary :all: -r action.txt -r board.txt

FROM python:3.13-slim
COPY --from=dependencies /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH
WORKDIR /app
COPY scripts/staging_check.py scripts/
COPY src/ src/
USER 65532:65532
EXPOSE 8000
# http.client and not urllib: a proxy variable must not decide whether the board is healthy.
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s --retries=3 CMD ["python3", "-I", "-c", \
    "from http.client import HTTPConnection as C; c = C('127.0.0.1', 8000, 2); c.request('GET', '/health'); exit(c.getresponse().status != 200)"]
ENTRYPOINT ["python3", "-I", "src"]
CMD ["board", "--host", "0.0.0.0", "--port", "8000"]

# Last, so that the next commit finds everything above in the cache.
ARG GIT_SHA=""
ENV BOARD_REVISION=$GIT_SHA
LABEL org.opencontainers.image.revision=$GIT_SHA
