# Chatkeep's image. Run it: see compose.yaml and docs/how-to/docker.md.
#
#   docker build --target chatkeep -t chatkeep .       the service
#   docker build --target full -t chatkeep:full .      with restic and rclone, for copies elsewhere
#
# Nothing in here depends on the processor: `docker buildx build --platform linux/amd64,linux/arm64` builds for both. To have
# the same base for good, name it by its digest: --build-arg NODE_IMAGE=node:24-bookworm-slim@sha256:…
ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY scripts/bundle.ts ./scripts/
COPY src ./src
RUN npm run --silent build && npm prune --omit=dev --ignore-scripts --no-audit --no-fund
COPY LICENSE ./
COPY config ./config
# What runs, and nothing that is for developers or browsers only; times and modes depend on nothing but the sources.
RUN mkdir /image && mv package.json LICENSE config dist node_modules /image/ \
    && rm -rf /image/node_modules/.package-lock.json /image/node_modules/.bin \
    && find /image/node_modules -type f \( -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' -o -name '*.map' \) -delete \
    && rm -rf /image/node_modules/katex/src /image/node_modules/katex/contrib /image/node_modules/katex/dist/fonts \
        /image/node_modules/katex/dist/contrib /image/node_modules/katex/dist/*.css /image/node_modules/katex/dist/*.min.js \
        /image/node_modules/highlight.js/scss /image/node_modules/highlight.js/styles \
    && chmod -R u=rwX,go=rX /image && chmod 0755 /image/dist/cli/main.js \
    && find /image -exec touch --no-dereference --date=@0 {} +

FROM ${NODE_IMAGE} AS chatkeep
ENV NODE_ENV=production \
    CHATKEEP_BACKUP_DIR=/backups \
    CHATKEEP_STATE_DIR=/state
# The volumes belong to the user, so that new named volumes do, too.
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends tini \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/ldconfig/* /var/log/* \
    && install -d -o node -g node -m 0700 /backups /state /drop
COPY --from=build /image /app
COPY docker/chatkeep /usr/local/bin/chatkeep
USER 1000:1000
VOLUME ["/backups", "/state"]
HEALTHCHECK --interval=60s --timeout=20s --start-period=60s --retries=3 CMD ["chatkeep", "healthcheck"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["chatkeep"]
CMD ["run"]
ARG VERSION=unversioned
ARG REVISION=unknown
ARG SOURCE=unknown
LABEL org.opencontainers.image.title="Chatkeep" \
      org.opencontainers.image.description="Watches an inbox for OpenAI's export-ready emails and keeps each ChatGPT export as a dated snapshot" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}"

FROM chatkeep AS full
USER root
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends restic rclone openssh-client \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/ldconfig/* /var/log/*
USER 1000:1000

# What is built when no target is named.
FROM chatkeep
