#!/usr/bin/env bash
# What the peers need, by the package manager of Debian and its children. The run itself installs nothing.
set -euo pipefail
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    cmake g++ libclang-dev libssl-dev nodejs npm pkg-config python3 python3-venv valgrind
