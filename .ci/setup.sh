#!/bin/sh
# Makes .venv ready: `setup.sh local` for running Tandem, `setup.sh dev` for its tests and checks.
# Does nothing when it is ready already. What only a system package can give is installed when we are
# root on Debian or Ubuntu, and otherwise named in one sentence.
set -eu
cd "$(dirname "$0")/.."
kind=${1:-local}
here=$(pwd)

say() { printf '%s\n' "$*" >&2; }
stop() { say "tandem: $*"; exit 1; }

can_apt() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; }
apt_updated=
apt_install() {
    say "Installing $* …"
    if [ -z "$apt_updated" ]; then
        apt-get update -qq >/dev/null || stop "apt-get update failed: see that the network is there."
        apt_updated=yes
    fi
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null </dev/null
}

find_python() {
    for candidate in python3.14 python3.13 python3.12 python3.11 python3; do
        if command -v "$candidate" >/dev/null 2>&1 &&
            "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            command -v "$candidate"
            return
        fi
    done
}

make_venv() {
    rm -rf .venv
    if "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
        "$python" -m venv .venv
    elif "$python" -m pip --version >/dev/null 2>&1; then
        "$python" -m venv --without-pip .venv # Debian leaves ensurepip out, but its pip can serve
    elif can_apt && apt_install "python$version-venv"; then
        "$python" -m venv .venv
    elif command -v apt-get >/dev/null 2>&1; then
        stop "This Python comes without venv: type  sudo apt-get install python$version-venv  and try again."
    else
        stop "This Python ($python) comes without venv and pip: install a complete Python 3.11 or newer."
    fi
}

pip() {
    if [ -e .venv/bin/pip ]; then set -- .venv/bin/python -m pip "$@"; else
        set -- "$python" -m pip --python .venv/bin/python "$@"
    fi
    "$@" --disable-pip-version-check --no-input --quiet
}

# What is installed and no lock names any more: without it, nothing works here that fails in a fresh clone.
left_over() {
    .venv/bin/python - requirements-*.lock <<'END'
import re, sys
from importlib.metadata import distributions

named = {"pip", "setuptools", "wheel"}
for lock in sys.argv[1:]:
    with open(lock, encoding="utf-8") as lines:
        named.update(found[1] for found in (re.match(r"([a-z0-9-]+)(\[.*\])?==", line) for line in lines) if found)
print(*{re.sub(r"[-_.]+", "-", each.name).lower() for each in distributions()} - named)
END
}

# The project itself: its rooms are importable from where they are, and `tandem` is a command.
link_project() {
    site=$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    printf '%s\n' "$here" >"$site/tandem.pth"
    quoted=$(printf '%s' "$here" | sed "s/'/'\\\\''/g")
    printf '#!/bin/sh\nexec '\''%s/.venv/bin/python'\'' -P -m cli "$@"\n' "$quoted" >.venv/bin/tandem
    chmod +x .venv/bin/tandem
    # Also where Python is told to write no bytecode, the first start is as quick as the second.
    .venv/bin/python -m compileall -q activities api db domain ops runtime workflows cli.py worker.py || true
}

# Debian's Chromium without windows does the same in two thirds of the time; any other serves as well.
quick=chromium-headless-shell
known_to_apt() { apt-cache show "$1" >/dev/null 2>&1; }
need_browser() {
    for candidate in "$quick" chromium chromium-browser google-chrome google-chrome-stable; do
        command -v "$candidate" >/dev/null 2>&1 && found=$candidate && break
    done
    [ "${found:-}" = "$quick" ] && return
    if [ -n "${found:-}" ]; then # tried once, where it costs nothing but a moment
        if can_apt && ! [ -e .venv/no-$quick ] && known_to_apt "$quick"; then
            (apt_install "$quick") || { mkdir -p .venv && : >".venv/no-$quick"; }
        fi
        return
    fi
    [ -d "/Applications/Google Chrome.app" ] || [ -d "/Applications/Chromium.app" ] && return
    if can_apt; then
        known_to_apt "$quick" || { apt-get update -qq >/dev/null && apt_updated=yes; } || true
        if known_to_apt "$quick"; then browser=$quick; else browser=chromium; fi
        apt_install "$browser" || stop "The tests need a browser, and apt-get could not install $browser."
    elif command -v apt-get >/dev/null 2>&1; then
        stop "The tests need a browser: type  sudo apt-get install chromium  and try again."
    else
        stop "The tests need a browser: install Chromium (brew install --cask chromium) and try again."
    fi
}

[ "$kind" = local ] || need_browser
wanted="$here $(cksum <"requirements-$kind.lock")"
for done in "$kind" dev; do # what serves the tests serves running, too
    stamp=.venv/ready-$done
    if [ -e "$stamp" ] && [ "$(cat "$stamp")" = "$here $(cksum <"requirements-$done.lock")" ] &&
        .venv/bin/python -c '' 2>/dev/null; then
        exit 0
    fi
done

python=$(find_python)
if [ -z "$python" ] && can_apt && apt_install python3; then python=$(find_python); fi
[ -n "$python" ] || stop "Tandem needs Python 3.11 or newer, and none is on the PATH: install it and try again."
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')

# A .venv of another place or of a Python that is gone is made anew; else only what changed is installed.
if ! [ -e .venv/place ] || [ "$(cat .venv/place)" != "$here" ] || ! .venv/bin/python -c '' 2>/dev/null; then
    say "Making .venv with Python $version …"
    make_venv
    printf '%s' "$here" >.venv/place
fi
say "Installing requirements-$kind.lock …"
rm -f .venv/ready-*
pip install --require-hashes --no-deps --only-binary :all: -r "requirements-$kind.lock" ||
    stop "The libraries could not be installed: see the lines above, and that the network is there."
gone=$(left_over)
# shellcheck disable=SC2086 # one word for each
[ -z "$gone" ] || pip uninstall --yes $gone
link_project
printf '%s' "$wanted" >".venv/ready-$kind"
