"""The tutor's settings with one address: the floor that its own answers are measured against."""

from tutor.config.settings import *  # noqa: F403

ROOT_URLCONF = "tests.benchmarks.product.bare_urls"
