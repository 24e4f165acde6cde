# Sourced by what needs the real az: installed once, in a virtual environment of its own under $AZTRUST_CACHE.
AZTRUST_CACHE=${AZTRUST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/aztrust}

# install_azure_cli: az 2.91, named by AZTRUST_TEST_AZ from then on.
install_azure_cli() {
    local version=2.91.0 venv
    venv=$AZTRUST_CACHE/azure-cli-$version
    if [ ! -f "$venv/.complete" ]; then
        make_venv "$venv"
        say "installing azure-cli $version (once; some minutes)"
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "azure-cli==$version"
        touch "$venv/.complete"
    fi
    export AZTRUST_TEST_AZ=$venv/bin/az
}
