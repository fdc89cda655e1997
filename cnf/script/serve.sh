# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC1091,SC2034,SC2154
# ./vfio serve
. "$scripts/runtime.sh"

vfio_serve() {
    control=
    pairs=
    count=0
    while [ $# -gt 0 ]; do
        case $1 in
            --control)
                [ $# -ge 2 ] || wrong_call '--control expected=PATH'
                control=$(absolute "$2")
                shift
                ;;
            -*) wrong_call "option=$1 expected=--control PATH" ;;
            *$'\n'*) wrong_call 'argument expected=no line break' ;;
            *)
                each=$1
                # Every second one is a path, which the runtime would take from its own folder.
                [ $((count % 2)) -eq 0 ] || each=$(absolute "$1")
                pairs=$pairs$each$'\n'
                count=$((count + 1))
                ;;
        esac
        shift
    done
    if [ "$count" -eq 0 ] || [ $((count % 2)) -ne 0 ]; then
        wrong_call "arguments=$count expected=ADDRESS SOCKET [ADDRESS SOCKET]..."
    fi
    find_jdk
    build_if_needed
    make_instance
    run_headless -Dvfio.control="${control:-$instance/control}" -Dvfio.control.required=true -Dvfio.serve="$pairs"
    exit "$runtime_code"
}
