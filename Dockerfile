# syntax=docker/dockerfile:1
# The image of worker, relay and starter: locked packages, no compiler, no development tools, no root.
ARG PYTHON_TAG=3.13-slim-bookworm

FROM python:${PYTHON_TAG} AS packages
COPY requirements/runtime.txt /tmp/runtime.txt
# Wheels only, as everywhere: what needs a compiler must not get in.
RUN python -m venv /opt/duecourse \
 && /opt/duecourse/bin/pip install --no-cache-dir --only-binary :all: -r /tmp/runtime.txt

FROM python:${PYTHON_TAG}
RUN groupadd --gid 10001 duecourse \
 && useradd --uid 10001 --gid duecourse --no-create-home --home-dir /app --shell /usr/sbin/nologin duecourse \
 && install -d -o duecourse -g duecourse /var/lib/duecourse
COPY --from=packages /opt/duecourse /opt/duecourse
WORKDIR /app
COPY duecourse ./duecourse
COPY workflows ./workflows
COPY activities ./activities
COPY worker.py starter.py receiver.py LICENSE ./
# Compiled here, because the running container cannot write to /app.
RUN /opt/duecourse/bin/python -m compileall -q /app
ENV PATH=/opt/duecourse/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DUECOURSE_SEND=off
USER duecourse
VOLUME /var/lib/duecourse
# Exec form: SIGTERM reaches the worker itself, which then takes nothing new and finishes what is on the wire.
STOPSIGNAL SIGTERM
CMD ["python", "worker.py", "--queues", "loans"]
