"""The runtime: TensorFlow stays out until it is asked for, and the device has a name."""

from __future__ import annotations

import subprocess
import sys

from ml import runtime


def test_importing_ml_and_reading_pictures_loads_no_tensorflow() -> None:
    code = (
        "import sys, ml.runtime, ml.errors, ml.media, ml.detect.check, ml.detect.verdict\n"
        "print(sorted({'tensorflow', 'keras', 'mediapipe', 'django'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_threads_are_set_before_tensorflow_computes() -> None:
    code = (
        "from ml import runtime\n"
        "runtime.configure(threads=1)\n"
        "runtime.configure(threads=2)\n"
        "tf = runtime.tensorflow()\n"
        "import keras\n"
        "print(tf.config.threading.get_intra_op_parallelism_threads(), keras.backend.backend())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "tensorflow"]


def test_the_device_is_named() -> None:
    name = runtime.device_name()
    assert name.startswith(("CPU (", "GPU"))
    if name.startswith("CPU"):
        assert f"{runtime.usable_cores()} core" in name
