# syntax=docker/dockerfile:1
# docker build -t interrogator .
# docker run --init -e INTERROGATOR_TOKEN=... -v interrogator:/data interrogator
# A smaller image without CUDA: --build-arg TORCH_INDEX=<the CPU wheel index that pytorch.org names>
ARG PYTHON_VERSION=3.12

FROM python:${PYTHON_VERSION}-slim AS build
ARG TORCH_INDEX=""
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/interrogator
WORKDIR /src
COPY constraints.txt ./
# The two large packages first: this layer is reused until their pins change.
RUN /opt/interrogator/bin/pip install -c constraints.txt ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} torch torchvision
COPY pyproject.toml README.md LICENSE ./
COPY interrogator interrogator
COPY bot bot
COPY migrations migrations
RUN /opt/interrogator/bin/pip install -c constraints.txt ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} ".[postgres]"

FROM python:${PYTHON_VERSION}-slim
RUN useradd --create-home --uid 10001 interrogator && install -d -o interrogator -g interrogator /data
COPY --from=build /opt/interrogator /opt/interrogator
ENV PATH=/opt/interrogator/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    INTERROGATOR_DATA_DIR=/data \
    INTERROGATOR_CACHE=/data/cache \
    HF_HOME=/data/huggingface
USER interrogator
WORKDIR /data
VOLUME /data
STOPSIGNAL SIGTERM
ENTRYPOINT ["python", "-m", "bot"]
CMD ["run"]
