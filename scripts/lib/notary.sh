# Sourced by scripts/real-clients: docker's own client and notary's client and server, from Debian.

install_docker_and_notary() {
    local missing=()
    command -v notary >/dev/null && command -v notary-server >/dev/null || missing+=(notary)
    [ -x /usr/bin/docker ] || missing+=(docker.io)
    [ ${#missing[@]} = 0 ] || apt_install "${missing[@]}"
    # Debian's client knows content trust; another docker may come first on the path.
    export AZTRUST_TEST_DOCKER=/usr/bin/docker
}
