#!/bin/sh
# Run a part of the product with its settings: with-settings.sh web COMMAND…
# /etc/blend/blend.env is everybody's, /etc/blend/web.env web's alone. A shell reads them: NAME=value, and where a value
# has more than letters, digits and /:@._- in it, 'single quotes' around it.
set -eu

part=$1
shift
folder=${SETTINGS_FOLDER:-/etc/blend}
set -a
# shellcheck source=/dev/null
. "$folder/blend.env"
# shellcheck source=/dev/null
if [ -r "$folder/$part.env" ]; then . "$folder/$part.env"; fi
exec "$@"
