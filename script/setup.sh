# shellcheck shell=bash
# What script/run and script/test share: make this machine ready, and do nothing that is done already.
# Source it from the root of the repository.

VENV=.venv
SYSTEM_PACKAGES=(ca-certificates libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core)
TEST_PACKAGES=(libatomic1 poppler-utils)

say() { printf '\n==> %s\n' "$*"; }
warn() { printf '\n!!  %s\n' "$*" >&2; }
fail() {
    warn "$@"
    exit 1
}

# Hash what decides whether a step must run again: the files named, and where this copy lies.
fingerprint() { { pwd && cat -- "$@"; } | sha256sum | cut -d' ' -f1; }

is_stamped() { [[ -f "$1" && "$(<"$1")" == "$2" ]]; }

# --- Debian and Ubuntu packages ---------------------------------------------------------------------------------

is_installed() { dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null | grep -q '^installed'; }

as_root() {
    if [[ "$(id -u)" == 0 ]]; then
        env DEBIAN_FRONTEND=noninteractive "$@"
    else
        sudo -n env DEBIAN_FRONTEND=noninteractive "$@"
    fi
}

may_install() {
    command -v apt-get >/dev/null || return 1
    [[ "$(id -u)" == 0 ]] || { command -v sudo >/dev/null && sudo -n true 2>/dev/null; }
}

# Install what is missing of the named packages; where that is not possible, say what to type and go on.
ensure_packages() {
    local missing=() package
    if ! command -v dpkg-query >/dev/null; then
        return 0
    fi
    for package in "$@"; do
        is_installed "$package" || missing+=("$package")
    done
    if ((${#missing[@]} == 0)); then
        return 0
    fi
    if ! may_install; then
        warn "These packages are missing: ${missing[*]}. To install them, type:"
        printf '      sudo apt-get install %s\n' "${missing[*]}" >&2
        return 0
    fi
    say "Installing ${missing[*]}"
    as_root apt-get update -qq || warn "The package lists could not be refreshed. Going on with those at hand."
    if as_root apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null; then
        return 0
    fi
    for package in "${missing[@]}"; do
        as_root apt-get install -y -qq --no-install-recommends "$package" >/dev/null ||
            warn "$package could not be installed. Try: sudo apt-get install $package"
    done
}

# --- Python -----------------------------------------------------------------------------------------------------

is_suitable_python() {
    "$1" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

find_python() {
    local name
    for name in python3 python3.13 python3.12 python3.11; do
        if command -v "$name" >/dev/null && is_suitable_python "$name"; then
            printf '%s' "$name"
            return 0
        fi
    done
    return 1
}

ensure_venv() {
    local python
    # Programs in it carry the path of this folder: after a move it is made afresh.
    if [[ -f $VENV/.place && "$(<"$VENV/.place")" != "$PWD" ]]; then
        rm -rf "$VENV"
    fi
    if [[ -x $VENV/bin/python ]] && is_suitable_python "$VENV/bin/python"; then
        return 0
    fi
    if ! find_python >/dev/null; then
        ensure_packages python3 python3-venv
    fi
    python="$(find_python)" || fail "Python 3.11, 3.12 or 3.13 with its venv module is needed. Install it and try again."
    say "Making the Python environment in $VENV"
    rm -rf "$VENV"
    "$python" -m venv "$VENV"
    printf '%s' "$PWD" >"$VENV/.place"
}

# Install exactly what a lock names, each file checked by its hash, and the product itself.
ensure_python_packages() {
    local lock="$1" stamp wanted
    stamp="$VENV/.installed-$lock"
    wanted="$(fingerprint "$lock" script/uv.txt pyproject.toml)"
    if is_stamped "$stamp" "$wanted" && [[ -x $VENV/bin/sla-manager ]]; then
        return 0
    fi
    say "Installing Python packages ($lock)"
    if ! "$VENV/bin/uv" --version 2>/dev/null | grep -qF "uv $(sed -n 's/^uv==\([^ ]*\).*/\1/p' script/uv.txt)"; then
        "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r script/uv.txt
    fi
    "$VENV/bin/uv" pip install --quiet --python "$VENV/bin/python" --require-hashes --compile-bytecode -r "$lock"
    "$VENV/bin/uv" pip install --quiet --python "$VENV/bin/python" --no-deps --no-build-isolation --offline -e .
    printf '%s' "$wanted" >"$stamp"
    if [[ "$lock" == requirements-test.txt ]]; then
        fingerprint requirements.txt script/uv.txt pyproject.toml >"$VENV/.installed-requirements.txt"
    fi
    examine
}

# Say what will not work on this machine, and why.
examine() {
    "$VENV/bin/python" -c 'import weasyprint' >/dev/null 2>&1 ||
        warn "Pango is missing: everything works except making PDFs. Type: sudo apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
    if command -v dpkg-query >/dev/null && ! is_installed libharfbuzz-subset0; then
        warn "Without libharfbuzz-subset0 each PDF takes about four times as long."
    fi
}

# --- The front end ----------------------------------------------------------------------------------------------

has_node() {
    command -v node >/dev/null && command -v npm >/dev/null &&
        node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 20 ? 0 : 1)' 2>/dev/null
}

ensure_node() {
    if has_node; then
        return 0
    fi
    PATH="$PWD/$VENV/bin:$PATH"
    export PATH
    hash -r
    if has_node; then
        return 0
    fi
    say "Installing Node into $VENV"
    "$VENV/bin/uv" pip install --quiet --python "$VENV/bin/python" --require-hashes -r script/node.txt
    hash -r
    has_node || fail "Node 20 or newer is needed to build the pages' styles. Install it and try again."
}

ensure_front_end() {
    local wanted_modules wanted_build stamp_modules=node_modules/.installed stamp_build=sla_manager/web/static/.built
    wanted_modules="$(fingerprint package-lock.json)"
    wanted_build="$(fingerprint package-lock.json sla_manager/web/assets/* sla_manager/gateways/printing/fonts.py)"
    if is_stamped "$stamp_modules" "$wanted_modules" && is_stamped "$stamp_build" "$wanted_build"; then
        return 0
    fi
    ensure_node
    if ! is_stamped "$stamp_modules" "$wanted_modules"; then
        say "Installing what the pages are built from"
        npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
        printf '%s' "$wanted_modules" >"$stamp_modules"
    fi
    say "Building styles and scripts"
    npm run --silent build
    "$VENV/bin/python" -m sla_manager.gateways.printing.fonts ||
        warn "The documents' own font could not be made. They are printed in DejaVu Sans."
    printf '%s' "$wanted_build" >"$stamp_build"
}

# --- A browser, for tests ---------------------------------------------------------------------------------------

find_browser() {
    local name
    if [[ -n "${SLA_CHROMIUM:-}" ]]; then
        printf '%s' "$SLA_CHROMIUM"
        return 0
    fi
    for name in chromium google-chrome google-chrome-stable chromium-browser; do
        if command -v "$name" >/dev/null && "$name" --version >/dev/null 2>&1; then
            command -v "$name"
            return 0
        fi
    done
    return 1
}

ensure_browser() {
    if ! find_browser >/dev/null; then
        ensure_packages chromium
    fi
    SLA_CHROMIUM="$(find_browser)" || SLA_CHROMIUM=""
    if [[ -z "$SLA_CHROMIUM" ]]; then
        warn "No Chromium was found, so tests in a browser will fail. Type: sudo apt-get install chromium"
        return 0
    fi
    export SLA_CHROMIUM
}

# --- Altogether -------------------------------------------------------------------------------------------------

ensure_runtime() {
    ensure_packages "${SYSTEM_PACKAGES[@]}"
    ensure_venv
    ensure_python_packages requirements.txt
    ensure_front_end
}

ensure_test() {
    ensure_packages "${SYSTEM_PACKAGES[@]}" "${TEST_PACKAGES[@]}"
    ensure_venv
    ensure_python_packages requirements-test.txt
    ensure_front_end
    ensure_browser
}
