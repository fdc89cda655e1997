# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC1091,SC2034,SC2154
# ./vfio probe
. "$scripts/tool.sh"

vfio_probe() { run_tool probe "$@"; }
