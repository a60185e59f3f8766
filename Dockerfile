# Waxseal as an image: Node, the libraries Node links, the built program, and nothing else. No shell,
# no package manager, no native code, so the same file builds for amd64 and for arm64.
#
#   docker build -t waxseal:0.1.0 .
#
# For a build that can be reproduced and traced to its commit:
#
#   docker build -t waxseal:0.1.0 \
#     --build-arg SOURCE_DATE_EPOCH="$(git log -1 --format=%ct)" \
#     --build-arg VERSION=0.1.0 --build-arg REVISION="$(git rev-parse HEAD)" \
#     --build-arg CREATED="$(git log -1 --format=%cI)" .
#
# There is no `RUN --mount` and no `# syntax=` line on purpose: the file must build without BuildKit
# and without fetching a frontend, as it has to behind an air gap.

FROM node:24.21.0-bookworm-slim AS build

# No package may run code of its own here; nothing we depend on needs to.
ENV npm_config_ignore_scripts=true npm_config_update_notifier=false
WORKDIR /src

COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts

COPY . .
RUN npm run build \
 && npm prune --omit=dev --ignore-scripts

# Everything is readable by any user id, writable by none but root, and dated by the commit rather than
# by the clock: two builds of one commit give the same files. Each step does so for its own files,
# because doing it later would store them a second time.
ARG SOURCE_DATE_EPOCH=0

# Node and exactly what it links. Copying by `ldd` rather than by a list keeps this right on both
# architectures and when a later Node links one library more. `status.d` is where scanners look for
# the packages of an image that has no dpkg; the copyright files must travel with the binaries.
RUN set -eu; \
    node="$(readlink -f "$(command -v node)")"; \
    mkdir -p /out/runtime/etc /out/runtime/usr/local/bin /out/runtime/app /out/runtime/var/lib/dpkg/status.d; \
    cp "$node" /out/runtime/usr/local/bin/node; \
    cp /etc/os-release /out/runtime/etc/os-release; \
    # Without this file glibc asks DNS before /etc/hosts.
    echo 'hosts: files dns' > /out/runtime/etc/nsswitch.conf; \
    for library in $(ldd "$node" | grep -o '/[^ ]*'); do \
      cp -L --parents "$library" /out/runtime; \
      package="$(dpkg-query -S "*/$(basename "$library")" | head -n 1 | cut -d: -f1)"; \
      dpkg-query -s "$package" > "/out/runtime/var/lib/dpkg/status.d/$package"; \
      cp -L --parents "/usr/share/doc/$package/copyright" /out/runtime; \
    done; \
    chmod -R a+rX,go-w /out; \
    find /out -depth -exec touch -h -d "@${SOURCE_DATE_EPOCH}" {} +

# Type declarations, source maps, tests and documentation of dependencies are for people who work on
# them. Licences stay.
RUN set -eu; \
    mkdir -p /out/deps/app /out/app/app; \
    cp -R node_modules /out/deps/app/node_modules; \
    rm -rf /out/deps/app/node_modules/.bin; \
    find /out/deps/app/node_modules -type f \
      \( -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' -o -name '*.map' -o -name '*.ts' \
         -o -name '*.mts' -o -name '*.cts' -o -iname '*.md' -o -name '*.markdown' -o -name '.*' \) \
      ! -iname 'licen[cs]e*' -delete; \
    find /out/deps/app/node_modules -depth -type d \
      \( -name test -o -name tests -o -name __tests__ -o -name bench -o -name benchmarks -o -name examples -o -name '.*' \) \
      -exec rm -rf {} +; \
    find /out/deps/app/node_modules -type d -empty -delete; \
    cp -R package.json LICENSE dist views /out/app/app/; \
    chmod -R a+rX,go-w /out/deps /out/app; \
    find /out/deps /out/app -depth -exec touch -h -d "@${SOURCE_DATE_EPOCH}" {} +

FROM scratch
COPY --from=build /out/runtime/ /
COPY --from=build /out/deps/ /
COPY --from=build /out/app/ /

ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=8080
WORKDIR /app
# A number, so that Kubernetes can see that it is not root. Any other number works as well.
USER 65532:65532
EXPOSE 8080
# The exec form: Node is process 1 itself and receives SIGTERM, on which it drains.
ENTRYPOINT ["/usr/local/bin/node", "/app/dist/server.js"]
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
  CMD ["/usr/local/bin/node", "/app/dist/server.js", "healthcheck"]

ARG VERSION=0.1.0
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="Waxseal" \
      org.opencontainers.image.description="Hand a secret to one person, once" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}"
