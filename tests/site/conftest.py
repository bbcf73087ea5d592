from tests.detection.conftest import _files_of_one_test, ada, ada_client, ben, ben_client

__all__ = ["_files_of_one_test", "ada", "ada_client", "ben", "ben_client"]
