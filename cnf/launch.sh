# SPDX-License-Identifier: Apache-2.0
# To be sourced by a POSIX shell. The one place that knows the runtime's command line.
#
# launch_runtime HOME STATE [JAVA_OPTION...]
#   HOME   the distribution (bin/ bundle/ conf/ etc/ load/)
#   STATE  an existing folder of this run alone: bundle cache, temporary files
# Replaces the calling process by the runtime; call it in a subshell to come back. Environment: JAVA (a java of JDK 25, else
# the first on PATH), VFIO_ETC and VFIO_LOAD (folders to watch instead of the distribution's own).
launch_runtime() {
    launch_home=$1
    launch_state=$2
    shift 2
    exec "${JAVA:-java}" \
        --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow \
        -Dvfio.home="$launch_home" -Dvfio.state="$launch_state" \
        -Dvfio.etc="${VFIO_ETC:-$launch_home/etc}" -Dvfio.load="${VFIO_LOAD:-$launch_home/load}" \
        -Dorg.osgi.framework.storage="$launch_state/bundles" \
        -Dfelix.config.properties="file:$launch_home/conf/config.properties" \
        -Djava.util.logging.config.file="$launch_home/conf/logging.properties" \
        "$@" -jar "$launch_home/bin/felix.jar"
}
