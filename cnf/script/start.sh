# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC1091,SC2034,SC2154
# ./vfio start
. "$scripts/runtime.sh"

vfio_start() {
    control=
    while [ $# -gt 0 ]; do
        case $1 in
            --control)
                take_control "$@"
                shift
                ;;
            *) wrong_call "argument=$1 expected=--control PATH or nothing" ;;
        esac
        shift
    done
    find_jdk
    build_if_needed
    make_instance
    run_with_prompt -Dvfio.control="${control:-$instance/control}" -Dvfio.control.required=true -Dvfio.migrate="$instance/migrate"
    exit "$runtime_code"
}
