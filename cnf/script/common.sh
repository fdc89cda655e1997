# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC1091,SC2034,SC2154
# What all commands of ../../vfio share; it has set root and scripts.

home=$root/cnf/target/vfio-mediate
client_jar=$home/bundle/vfio.pci.shell.jar

note() { printf 'vfio: %s\n' "$*" >&2; }

# The one line that says why nothing was done.
fail() { # EXIT-CODE REASON
    code=$1
    shift
    printf 'error: %s\n' "$*" >&2
    exit "$code"
}

wrong_call() { fail 2 "$*; see ./vfio help"; }

absolute() {
    case $1 in
        /*) printf '%s\n' "$1" ;;
        *) printf '%s\n' "$PWD/$1" ;;
    esac
}
