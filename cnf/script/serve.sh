# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC1091,SC2034,SC2154
# ./vfio serve
. "$scripts/runtime.sh"

vfio_serve() {
    control=
    pairs=
    handed=0
    local words=()
    while [ $# -gt 0 ]; do
        case $1 in
            --control)
                take_control "$@"
                shift
                ;;
            --fd)
                [ $# -ge 3 ] || wrong_call '--fd expected=N ADDRESS'
                serve_on_descriptor "$3" "$2"
                shift 2
                ;;
            -*) wrong_call "option=$1 expected=--control PATH or --fd N ADDRESS" ;;
            *$'\n'*) wrong_call 'argument expected=no line break' ;;
            *) words+=("$1") ;;
        esac
        shift
    done
    # Descriptors that are named are not taken in order as well.
    if [ "$handed" -eq 0 ]; then
        activated_sockets
    fi
    if [ "$activated" -gt 0 ]; then
        serve_activated ${words[@]+"${words[@]}"}
    else
        serve_on_paths ${words[@]+"${words[@]}"}
    fi
    find_jdk
    build_if_needed
    make_instance
    use_archive
    run_headless "${archive[@]}" -Dvfio.control="${control:-$instance/control}" -Dvfio.control.required=true -Dvfio.migrate="$instance/migrate" -Dvfio.serve="$pairs"
    keep_archive
    exit "$runtime_code"
}

# Sets activated, how many sockets a service manager has handed to this very process: descriptors 3 and on, as in sd_listen_fds(3).
# Processes that this one starts are not meant.
activated=0
activated_sockets() {
    if [ "${LISTEN_PID-}" = $$ ]; then
        case ${LISTEN_FDS-} in
            '' | *[!0-9]*) wrong_call "LISTEN_FDS=${LISTEN_FDS-} expected=a number" ;;
        esac
        activated=$LISTEN_FDS
    fi
    unset LISTEN_PID LISTEN_FDS LISTEN_FDNAMES
}

serve_activated() { # ADDRESS...
    [ $# -eq "$activated" ] || wrong_call "LISTEN_FDS=$activated addresses=$# expected=an ADDRESS for each of the sockets, in their order"
    local descriptor=3
    for each; do
        serve_on_descriptor "$each" "$descriptor"
        descriptor=$((descriptor + 1))
    done
}

serve_on_descriptor() { # ADDRESS NUMBER
    case $2 in
        '' | *[!0-9]* | 0* | 1 | 2) wrong_call "fd=$2 expected=a number above 2" ;;
    esac
    # The runtime opens descriptors of its own; one that is not open by now must not be mistaken for any of those.
    [ -S "/proc/$$/fd/$2" ] || wrong_call "fd=$2 expected=a socket that was handed over"
    case $1 in
        *$'\n'*) wrong_call 'argument expected=no line break' ;;
    esac
    pairs=$pairs$1$'\n'fd:$2$'\n'
    handed=$((handed + 1))
}

serve_on_paths() { # [ADDRESS SOCKET]...
    if [ $(($# % 2)) -ne 0 ] || [ $(($# + handed)) -eq 0 ]; then
        wrong_call "arguments=$# expected=ADDRESS SOCKET [ADDRESS SOCKET]..."
    fi
    while [ $# -gt 0 ]; do
        # The runtime would take the path from its own folder.
        pairs=$pairs$1$'\n'$(absolute "$2")$'\n'
        shift 2
    done
}
