# voiceops as an image for pipelines: docker build -t voiceops . && docker run --rm -v "$PWD:/project" voiceops plan
# Built from a wheel, so that what runs is what is published; the state and the sandbox's data live in the project.
FROM python:3.12-slim AS build
WORKDIR /src
COPY templates templates
# What voiceops needs, each package by its hash.
RUN pip wheel --no-cache-dir --require-hashes --wheel-dir /wheels --requirement templates/lock/ci.txt
COPY pyproject.toml README.md LICENSE ./
COPY schema schema
COPY voiceops voiceops
# voiceops itself, from these files alone: no build tool is fetched.
RUN python -m voiceops.packaging /wheels

FROM python:3.12-slim
# git says which commit an apply came from.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 10001 voiceops \
    && git config --system --add safe.directory /project
COPY --from=build /wheels /wheels
# Nothing to pin: there is one version of each, the one that was checked and built.
# hadolint ignore=DL3013
RUN pip install --no-cache-dir --no-index --find-links /wheels 'voiceops-iac[age,policy,postgres,s3,sign]' && rm -rf /wheels
USER 10001
WORKDIR /project
ENTRYPOINT ["voiceops"]
CMD ["--help"]
