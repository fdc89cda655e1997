# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC1091,SC2034,SC2154
# Builds the distribution.

# Written anew by every build, with the time of it; what is in the distribution has the same old date always.
built=$root/cnf/target/export/launch/vfio.pci.shell.jar

vfio_build() {
    [ $# -eq 0 ] || wrong_call "arguments=$* expected=none"
    . "$scripts/jdk.sh"
    find_jdk
    run_build 'building'
}

# Builds when there is no distribution or a source is newer.
build_if_needed() {
    if [ ! -e "$built" ] || [ ! -e "$home/bin/launch.sh" ]; then
        run_build 'there is no distribution yet: building'
    elif newer=$(newer_source) && [ -n "$newer" ]; then
        run_build "${newer#"$root"/} is newer than the distribution: building"
    fi
}

# Prints one file or folder that changed since the last build. A folder's time tells of a file that went.
newer_source() {
    find "$root/pom.xml" "$root/bnd.bnd" "$root"/*/pom.xml "$root"/*/bnd.bnd "$root"/*/src/main "$root"/cnf/{conf,etc,load,assembly} \
        "$root"/cnf/launch.* -newer "$built" -print -quit
}

run_build() { # WHY
    command -v mvn >/dev/null || fail 2 "Maven is needed to build the distribution; mvn is not on PATH"
    mkdir -p "$root/cnf/target"
    log=$root/cnf/target/build.log
    note "$1 (mvn package; log in ${log#"$root"/})"
    # Several of us may want it at the same time.
    {
        if command -v flock >/dev/null; then
            flock 9
        fi
        if ! (cd "$root" && mvn -B -Dstyle.color=never -DskipTests -pl cnf -am package) >"$log" 2>&1 9>&-; then
            # Maven's errors end with advice on Maven, after an empty one.
            sed -n '/^\[ERROR\] *$/q; /^\[ERROR\]/p' "$log" | tail -n 20 >&2
            fail 2 "the build failed; the whole of it is in $log"
        fi
    } 9>"$root/cnf/target/build.lock"
}
