# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC1091,SC2034,SC2154
# Starts a runtime in a folder of its own, waits for it, and leaves nothing behind. Descriptors are given numbers by bash, which takes
# free ones from 10: lower ones may be a service manager's.
. "$scripts/jdk.sh"
. "$scripts/build.sh"

# The folder of all runtimes of this user, with a folder for each.
instances=${XDG_RUNTIME_DIR:-/tmp}/vfio-mediate-$UID

# Sets control, the path of the control socket that an option names.
take_control() { # --control PATH
    [ $# -ge 2 ] || wrong_call '--control expected=PATH'
    control=$(absolute "$2")
}

# Makes the folder of all runtimes; in /tmp somebody else may have been there first.
make_instances() {
    if [ ! -d "$instances" ] && mkdir -m 700 -- "$instances" 2>/dev/null; then
        return
    fi
    [ -d "$instances" ] || fail 2 "$instances cannot be made"
    if [ -L "$instances" ] || [ ! -O "$instances" ]; then
        fail 2 "$instances belongs to somebody else"
    fi
    chmod 700 -- "$instances"
}

# Sets instance, this runtime's own folder, which goes with the script. It is locked as long as script or runtime live, and seen by others
# from when it is; those of scripts that were killed go here. Process ids would not do: the folder may be shared by containers.
make_instance() {
    make_instances
    if command -v flock >/dev/null; then
        for each in "$instances"/*/lock; do
            if [ -e "$each" ]; then
                (flock -n 5 && rm -rf -- "${each%/lock}") 5<"$each" || true
            fi
        done
    fi
    local unseen
    unseen=$(mktemp -d -- "$instances/.XXXXXX")
    instance=$instances/${unseen##*/.}
    trap 'rm -rf -- "$unseen" "$instance"' EXIT
    exec {lock}>"$unseen/lock"
    ! command -v flock >/dev/null || flock "$lock"
    mkdir -- "$unseen/state"
    mv -T -- "$unseen" "$instance"
    trap 'rm -rf -- "$instance"' EXIT
    log_from "${VFIO_LOG:-WARNING}"
}

# Lets the runtime tell nothing below that level of java.util.logging, beside what it was asked for.
log_from() { # LEVEL
    printf '%s\n.level = %s\n' "$(<"$home/conf/logging.properties")" "$1" >"$instance/logging.properties"
}

# Sets archive, options by which the JVM takes what an earlier one made of a runtime's classes; when there is no such file of this
# distribution and JDK it writes one as it ends, which keep_archive puts in place. The JVM itself looks whether the file fits.
use_archive() {
    archive=() fresh_archive=
    local cache=${XDG_CACHE_HOME:-${HOME:+$HOME/.cache}} name=${home//\//+}
    [ "${#name}" -le 100 ] || name=${name: -100}
    [ -n "$cache" ] || return 0
    archive_file=$cache/vfio-mediate/classes-$jdk$name.jsa
    if [ "$archive_file" -nt "$built" ]; then
        archive=(-XX:SharedArchiveFile="$archive_file")
    elif mkdir -p -- "$cache/vfio-mediate" 2>/dev/null && rm -f -- "$archive_file".*; then
        fresh_archive=$archive_file.$$
        archive=(-XX:ArchiveClassesAtExit="$fresh_archive")
    fi
    # Whether that went well is nobody's business: it is about time only.
    archive+=('-Xlog:cds*=off,aot*=off')
}

# Only a whole file gets the name that others read.
keep_archive() {
    [ -z "$fresh_archive" ] || [ ! -s "$fresh_archive" ] || mv -f -- "$fresh_archive" "$archive_file" 2>/dev/null || rm -f -- "$fresh_archive"
}

# Runs the runtime as a child, with the script's own input.
run_with_prompt() { # JAVA_OPTION...
    start_runtime "$@" <&0 &
    await_runtime $!
}

# Runs the runtime as a child without prompt.
run_headless() { # JAVA_OPTION...
    hold_open
    start_runtime -Dvfio.until.eof=true -Dgosh.args=--nointeractive "$@" <&"$held" {held}<&- {hold}>&- &
    exec {held}<&-
    await_runtime $!
}

# Sets held, a descriptor that is to be the input of a runtime, and hold, one of the script and nobody else that holds it open: so the
# runtime ends with the script, however that ends.
hold_open() {
    mkfifo -m 600 -- "$instance/hold"
    exec {hold}<>"$instance/hold"
    exec {held}<"$instance/hold"
    rm -f -- "$instance/hold"
}

start_runtime() {
    . "$home/bin/launch.sh"
    launch_runtime "$home" "$instance/state" -Djava.util.logging.config.file="$instance/logging.properties" "$@"
}

# Waits for the runtime, to which signals are passed on; a runtime ended in this way has done what it should. Sets runtime_code.
await_runtime() { # PROCESS
    runtime=$1
    told=
    trap 'told=yes; kill -TERM "$runtime" 2>/dev/null || true' TERM INT HUP
    while :; do
        runtime_code=0
        wait "$runtime" || runtime_code=$?
        # A signal ends the wait too: then the runtime is still there.
        kill -0 "$runtime" 2>/dev/null || break
    done
    trap - TERM INT HUP
    if [ "$runtime_code" -gt 128 ]; then
        [ -n "$told" ] || fail 3 "the runtime was ended by signal $((runtime_code - 128))"
        runtime_code=0
    fi
}
