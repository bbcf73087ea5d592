"""The one place that starts TensorFlow: backend, threads, GPU memory, and the name of what computes."""

from __future__ import annotations

import os
import threading
from functools import cache
from pathlib import Path
from typing import Any

_lock = threading.Lock()
_configured = False


def usable_cores() -> int:
    """Cores that this process may run on (an affinity mask counts; a machine's nominal number does not)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def configure(threads: int | None = None) -> None:
    """Choose the backend and size TensorFlow's pools, once a process; later calls change nothing.

    `threads` is the number of cores that one operation may use (None: all that this process may run on).
    Keras reads its backend when first imported, and TensorFlow fixes its pools at the first operation: so call this
    before either. A backend already named in the environment (JAX or PyTorch for training) is left alone.
    """
    global _configured
    with _lock:
        if _configured:
            return
        os.environ.setdefault("KERAS_BACKEND", "tensorflow")
        # TensorFlow's C++ start-up lines and mediapipe's (glog) would drown what a person should read.
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        os.environ.setdefault("GLOG_minloglevel", "2")
        if os.environ["KERAS_BACKEND"] == "tensorflow":
            _configure_tensorflow(threads or usable_cores())
        _configured = True


def _configure_tensorflow(threads: int) -> None:
    from ml.faces.quiet import quiet_native_logs

    with quiet_native_logs():
        # Before any of its switches is read, TensorFlow warns that it registers CUDA twice and that there is no GPU.
        import tensorflow as tf

        gpus = tf.config.list_physical_devices("GPU")
    try:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(min(2, threads))
        for gpu in gpus:
            # Without growth the first process takes the whole card, and the second one cannot start.
            tf.config.experimental.set_memory_growth(gpu, True)
    except RuntimeError:
        # Somebody used TensorFlow first (a notebook, a test): its pools stand, and computing is right all the same.
        return


def tensorflow() -> Any:
    """The configured `tensorflow` module."""
    configure()
    import tensorflow as tf

    return tf


@cache
def training_precision() -> str:
    """The Keras dtype policy that trains fastest here: "mixed_bfloat16" on a GPU or a processor that multiplies it.

    Without such instructions bfloat16 is emulated, and slower than "float32".
    """
    if tensorflow().config.list_physical_devices("GPU"):
        return "mixed_bfloat16"
    try:
        words = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").split()
    except OSError:
        return "float32"
    return "float32" if {"avx512_bf16", "amx_bf16"}.isdisjoint(words) else "mixed_bfloat16"


@cache
def device_name() -> str:
    """What the networks run on, in words: a GPU's name, or "CPU (AMD EPYC 7B13, 2 cores)".

    Shown with every result, so that a silent fall back to the CPU is seen.
    """
    tf = tensorflow()
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        name = tf.config.experimental.get_device_details(gpus[0]).get("device_name")
        return f"GPU ({name})" if name else "GPU"
    cores = usable_cores()
    return f"CPU ({_processor()}, {cores} {'core' if cores == 1 else 'cores'})"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    for line in lines:
        key, _, value = line.partition(":")
        if key.strip() == "model name" and value.strip() not in {"", "unknown"}:
            return value.strip()
    import platform

    return platform.machine() or "unknown"
