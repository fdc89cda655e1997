# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC1091,SC2034,SC2154
# ./vfio sh
. "$scripts/runtime.sh"

# The client's exit code when there is no runtime.
no_runtime=4

vfio_sh() {
    control=
    fresh=
    while [ $# -gt 0 ]; do
        case $1 in
            --control)
                take_control "$@"
                shift
                ;;
            --fresh) fresh=yes ;;
            --)
                shift
                break
                ;;
            -*) wrong_call "option=$1 expected=--control PATH or --fresh" ;;
            *) break ;;
        esac
        shift
    done
    [ $# -gt 0 ] || wrong_call "arguments=0 expected='COMMAND'"
    [ -z "$fresh" ] || [ -z "$control" ] || wrong_call '--control and --fresh expected=one of them'
    find_jdk
    if [ -n "$control" ]; then
        run_in_one_of "$*" "$control"
        fail 3 "control=$control expected=the control socket of a running runtime"
    fi
    make_instances
    sockets=("$instances"/*/control)
    if [ -z "$fresh" ] && [ -e "${sockets[0]}" ]; then
        run_in_one_of "$*" "${sockets[@]}"
    fi
    run_in_fresh_runtime "$*"
}

# Ends the script with the command's exit code; comes back when no runtime listens at any of these sockets.
run_in_one_of() { # COMMAND CONTROL...
    [ -e "$client_jar" ] || build_if_needed
    client_code=0
    client "$@" || client_code=$?
    [ "$client_code" -eq "$no_runtime" ] || exit "$client_code"
}

client() { "$JAVA" -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp "$client_jar" vfio.pci.shell.control.ControlClient "$@"; }

run_in_fresh_runtime() { # COMMAND
    build_if_needed
    make_instance
    # What a start has to tell is not the command's output.
    log_from OFF
    run_headless -Dvfio.command="$1" -Dfelix.log.level=0 \
        -Dds.loglevel=0 -Dfelix.fileinstall.log.level=0 -XX:TieredStopAtLevel=1 -XX:+UseSerialGC
    exit "$runtime_code"
}
