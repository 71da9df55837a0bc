from tests.aws.conftest import _server, moto  # noqa: F401 - fixtures
