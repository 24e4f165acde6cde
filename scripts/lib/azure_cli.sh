# Sourced by what needs the real az: installed once, in virtual environments of their own under $AZTRUST_CACHE.
AZTRUST_CACHE=${AZTRUST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/aztrust}

# azure_cli_venv VERSION [MORE...]: the environment of one az, made when it is missing; its path is in $AZURE_CLI_VENV.
azure_cli_venv() {
    local version=$1
    shift
    AZURE_CLI_VENV=$AZTRUST_CACHE/azure-cli-$version
    if [ ! -f "$AZURE_CLI_VENV/.complete" ]; then
        make_venv "$AZURE_CLI_VENV"
        say "installing azure-cli $version (once; some minutes)"
        "$AZURE_CLI_VENV/bin/python" -m pip install --quiet --disable-pip-version-check "azure-cli==$version" "$@"
        touch "$AZURE_CLI_VENV/.complete"
    fi
}

# install_azure_cli: az 2.91, named by AZTRUST_TEST_AZ from then on.
install_azure_cli() {
    azure_cli_venv 2.91.0
    export AZTRUST_TEST_AZ=$AZURE_CLI_VENV/bin/az
}

# install_older_azure_cli: az as it was three years before, named by AZTRUST_TEST_OLDER_AZ. It imports pkg_resources,
# which later setuptools no longer bring, and a preview of an SDK that it does not pin.
install_older_azure_cli() {
    azure_cli_venv 2.54.0 'setuptools<80' azure-mgmt-rdbms==10.2.0b12
    export AZTRUST_TEST_OLDER_AZ=$AZURE_CLI_VENV/bin/az
}
