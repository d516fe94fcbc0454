# Chatkeep's image. Build: docker build -t chatkeep .   Run: see compose.yaml.

FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN node node_modules/typescript/bin/tsc -p tsconfig.build.json && npm prune --omit=dev --no-audit --no-fund

FROM node:24-bookworm-slim
ENV NODE_ENV=production \
    CHATKEEP_BACKUP_DIR=/backups \
    CHATKEEP_STATE_DIR=/state
WORKDIR /app
COPY package.json LICENSE ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY config ./config
# The two volumes belong to the user, so that named volumes do too.
RUN ln -s /app/dist/cli/main.js /usr/local/bin/chatkeep && chmod +x dist/cli/main.js \
    && install -d -o node -g node -m 0700 /backups /state /drop
USER node
VOLUME ["/backups", "/state"]
HEALTHCHECK --interval=60s --timeout=10s --start-period=60s --retries=3 CMD ["chatkeep", "healthcheck"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["chatkeep"]
CMD ["run"]
LABEL org.opencontainers.image.title="Chatkeep" \
      org.opencontainers.image.description="Watches an inbox for OpenAI's export-ready emails and keeps each ChatGPT export as a dated snapshot" \
      org.opencontainers.image.licenses="MIT"
