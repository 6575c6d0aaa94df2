# SPDX-License-Identifier: AGPL-3.0-or-later
"""Both readers of a format, the one in Python and the one in JavaScript, held against each other on altered inputs."""
