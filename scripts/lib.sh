# Shared by the scripts beside it: a virtual environment with plstui in it. Source it; it changes into the repository.
cd "$(dirname "${BASH_SOURCE[0]}")/.."
say() { printf '%s\n' "$*" >&2; }

# find_python: the newest Python that plstui runs on.
find_python() {
  local name
  for name in python3.13 python3.12 python3.11 python3; do
    if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      echo "$name"
      return
    fi
  done
  say "plstui needs Python 3.11 or newer; install it and run this again."
  return 1
}

# install EXTRA: make .venv and install plstui in it, once for each state of pyproject.toml and constraints.txt.
install() {
  local extra=$1 python stamp
  if [ ! -x .venv/bin/python ]; then
    python=$(find_python) || exit 1
    say "Making .venv with $python …"
    "$python" -m venv .venv || { say "No virtual environment could be made; on Debian install python3-venv."; exit 1; }
  fi
  stamp=$(cat pyproject.toml constraints.txt | cksum)
  if [ "$(cat ".venv/installed$extra" 2>/dev/null)" != "$stamp" ]; then
    say "Installing plstui$extra into .venv …"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check \
      --constraint constraints.txt --editable ".$extra" >&2
    echo "$stamp" >".venv/installed$extra"
  fi
}
