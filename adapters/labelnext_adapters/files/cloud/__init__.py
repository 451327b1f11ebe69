"""Responses of the big clouds' services."""

from labelnext_adapters.files.cloud.images import IMAGES
from labelnext_adapters.files.cloud.runtimes import RUNTIMES
from labelnext_adapters.files.cloud.sagemaker import SAGEMAKER
from labelnext_adapters.files.cloud.services import SERVICES
from labelnext_adapters.files.cloud.texts import TEXTS

TOOLS = (*SERVICES, *TEXTS, *IMAGES, *SAGEMAKER, *RUNTIMES)
