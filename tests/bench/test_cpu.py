"""What the kernel says of processes."""

import mmap
import os
from multiprocessing import get_context

from bench import cpu

SHARED = 32 * 2**20


def test_memory_that_two_processes_share_counts_once() -> None:
    with mmap.mmap(-1, SHARED) as shared:
        shared.write(b"x" * SHARED)
        alone = cpu.memory([os.getpid()])
        context = get_context("fork")
        ready, over = context.Event(), context.Event()

        def touch() -> None:
            assert sum(shared[::4096])
            ready.set()
            over.wait(30)

        child = context.Process(target=touch)
        child.start()
        try:
            assert ready.wait(30)
            assert child.pid
            assert alone <= cpu.memory([os.getpid(), child.pid]) < alone + SHARED / 2
        finally:
            over.set()
            child.join()


def test_a_process_that_has_ended_counts_for_nothing() -> None:
    child = get_context("fork").Process(target=int)
    child.start()
    child.join()
    assert child.pid
    assert cpu.memory([child.pid]) == 0
    assert cpu.seconds([child.pid]) == 0
