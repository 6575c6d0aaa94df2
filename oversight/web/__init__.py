# SPDX-License-Identifier: AGPL-3.0-or-later
"""What every page of the office is made with: templates, forms, labels of roles."""
